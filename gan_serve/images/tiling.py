"""Run images of any size through a network: padded to a multiple, and in tiles if they are large.

Tiles overlap. In the middle half of each overlap one tile fades into the next; the outer quarters, which lack context
beyond the tile's edge, are discarded. This hides seams, even between tiles of different colours. Beside the pixels of
the output, memory holds one row of tiles in floats and the tiles that are running.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.images.pixels import Pixels
from gan_serve.system.parallel import map_in_order
from gan_serve.tensors import Image

Arrays = Mapping[str, NDArray[Any]]


def run_in_tiles(
    run: Callable[[Arrays], Arrays],
    arrays: Arrays,
    tensor: Image,
    outputs: Sequence[Image],
    on_tile: Callable[[int, int], None],
    threads: int = 1,
) -> dict[str, Pixels]:
    """Return the pixels (height * scale, width * scale, channels) of each output.

    `arrays` are (1, channels, height, width), all of one height and width. `run` maps a tile of them to the outputs by
    name, in up to `threads` parallel calls. `tensor` defines the size of a tile. `on_tile` is called with the number
    of finished tiles and of all tiles.
    """
    height, width = next(iter(arrays.values())).shape[2:]
    below, beside = -height % tensor.multiple, -width % tensor.multiple
    padded = {name: _padded(array, below, beside) for name, array in arrays.items()}
    rows, columns = _Side(height + below, tensor), _Side(width + beside, tensor)
    canvases = {output.name: _Canvas(output, height, width, rows, columns) for output in outputs}

    def run_tile(corner: tuple[int, int]) -> Arrays:
        top, left = corner
        box = np.s_[:, :, top : top + rows.length, left : left + columns.length]
        return run({name: array[box] for name, array in padded.items()})

    corners = list(itertools.product(rows.starts, columns.starts))
    with closing(map_in_order(run_tile, corners, min(threads, len(corners)))) as tiles:
        for number, outputs_of_tile in enumerate(tiles):
            row, column = divmod(number, len(columns.starts))
            for name, canvas in canvases.items():
                canvas.add(outputs_of_tile[name][0], row, column)
                if column == len(columns.starts) - 1:
                    canvas.finish_row(row)
            on_tile(number + 1, len(corners))
    return {name: canvas.pixels for name, canvas in canvases.items()}


def _padded(array: NDArray[Any], below: int, beside: int) -> NDArray[Any]:
    """Pad at the bottom and on the right. Return the same array if there is nothing to add, to save memory."""
    return np.pad(array, ((0, 0), (0, 0), (0, below), (0, beside)), "reflect") if below or beside else array


class _Side:
    """The tiles along one side: as few as possible, of equal length, starting at multiples."""

    def __init__(self, length: int, tensor: Image) -> None:
        multiple, tile = tensor.multiple, tensor.tile or length
        self.overlap = _rounded_up(tensor.overlap, multiple)
        count = 1 if length <= tile else math.ceil((length - self.overlap) / (tile - self.overlap))
        self.length = _rounded_up(math.ceil((length - self.overlap) / count), multiple) + self.overlap
        steps = (length - self.length) // multiple
        self.starts = [steps * place // max(count - 1, 1) * multiple for place in range(count)]

    def weights(self, scale: int) -> list[NDArray[np.float32]]:
        """Return the weight of each line of each tile. On every line of the output they sum to 1."""
        shares = [
            self._after(place, place - 1, scale) * (1 - self._after(place, place, scale)) for place in self._places
        ]
        total = np.zeros((self.starts[-1] + self.length) * scale)
        parts = [np.s_[start * scale : (start + self.length) * scale] for start in self.starts]
        for part, share in zip(parts, shares, strict=True):
            total[part] += share
        return [(share / total[part]).astype(np.float32) for part, share in zip(parts, shares, strict=True)]

    @property
    def _places(self) -> range:
        return range(len(self.starts))

    def _after(self, place: int, before: int, scale: int) -> NDArray[np.float64]:
        """Return a ramp over a tile's lines: 0 to 1 through the middle half of the overlap after tile `before`."""
        if before not in self._places[:-1]:
            return np.full(self.length * scale, before < 0, float)
        seam = (self.starts[before] + self.length + self.starts[before + 1]) / 2 * scale
        lines = self.starts[place] * scale + np.arange(self.length * scale) + 0.5
        return ((lines - seam) / max(self.overlap * scale / 2, 1) + 0.5).clip(0, 1)


def _rounded_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


class _Canvas:
    """An output that grows downwards: rows of tiles are summed in floats, and become pixels once complete."""

    def __init__(self, tensor: Image, height: int, width: int, rows: _Side, columns: _Side) -> None:
        self.pixels = np.empty((height * tensor.scale, width * tensor.scale, tensor.channels), np.uint8)
        self._tensor, self._rows, self._columns = tensor, rows, columns
        self._row_weights, self._column_weights = rows.weights(tensor.scale), columns.weights(tensor.scale)
        across = columns.starts[-1] + columns.length
        self._sum = np.zeros((tensor.channels, rows.length * tensor.scale, across * tensor.scale), np.float32)

    def add(self, tile: NDArray[np.float32], row: int, column: int) -> None:
        """Add a tile (channels, height, width), which is modified in place."""
        left = self._columns.starts[column] * self._tensor.scale
        tile *= np.outer(self._row_weights[row], self._column_weights[column])
        self._sum[:, :, left : left + tile.shape[2]] += tile

    def finish_row(self, row: int) -> None:
        """Convert the lines that the next row of tiles does not reach, after all tiles of this row were added."""
        start, *following = itertools.islice(self._rows.starts, row, row + 2)
        done = (following[0] - start if following else self._rows.length) * self._tensor.scale
        top = start * self._tensor.scale
        target = self.pixels[top : top + done]
        target[:] = self._tensor.to_pixels(self._sum[None, :, : len(target), : target.shape[1]])[0]
        self._sum[:, :-done] = self._sum[:, done:]
        self._sum[:, -done:] = 0
