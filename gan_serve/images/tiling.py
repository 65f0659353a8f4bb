"""Images of any size through a network: padded to what it takes, and in tiles where they are large.

Tiles overlap. In the middle half of each overlap one fades into the other, and the outer quarters are thrown away, so
that a seam is seen neither where a network looks beyond a tile's edge nor where it makes tiles of different colours.
Memory is that of a row of tiles in floats and of the tiles that run at once, beside the pixels of the whole answer.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.images.pixels import Pixels, to_pixels
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
    """The pixels (height * scale, width * scale, channels) of each output.

    `arrays` are (1, channels, height, width), all of one height and width; `run` takes a part of them at a time, and
    answers for that part by the outputs' names; up to `threads` of its calls run at once. `tensor` says how large the
    parts may be. `on_tile` is told how many of how many were run.
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
        for number, made in enumerate(tiles):
            row, column = divmod(number, len(columns.starts))
            for name, canvas in canvases.items():
                canvas.add(made[name][0], row, column)
                if column == len(columns.starts) - 1:
                    canvas.settle(row)
            on_tile(number + 1, len(corners))
    return {name: canvas.pixels for name, canvas in canvases.items()}


def _padded(array: NDArray[Any], below: int, beside: int) -> NDArray[Any]:
    """The same array where nothing is to be added: a photograph is large."""
    return np.pad(array, ((0, 0), (0, 0), (0, below), (0, beside)), "reflect") if below or beside else array


class _Side:
    """How one side of an image is cut: as few tiles as can be, of equal length, whose starts are multiples."""

    def __init__(self, length: int, tensor: Image) -> None:
        multiple, tile = tensor.multiple, tensor.tile or length
        self.overlap = _rounded_up(tensor.overlap, multiple)
        count = 1 if length <= tile else math.ceil((length - self.overlap) / (tile - self.overlap))
        self.length = _rounded_up(math.ceil((length - self.overlap) / count), multiple) + self.overlap
        steps = (length - self.length) // multiple
        self.starts = [steps * place // max(count - 1, 1) * multiple for place in range(count)]

    def weights(self, scale: int) -> list[NDArray[np.float32]]:
        """How much each line of each tile counts; on every line of the answer they add up to 1."""
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
        """For the lines of a tile, from 0 to 1 through the middle half of where the tile `before` meets the next."""
        if before not in self._places[:-1]:
            return np.full(self.length * scale, before < 0, float)
        seam = (self.starts[before] + self.length + self.starts[before + 1]) / 2 * scale
        lines = self.starts[place] * scale + np.arange(self.length * scale) + 0.5
        return ((lines - seam) / max(self.overlap * scale / 2, 1) + 0.5).clip(0, 1)


def _rounded_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


class _Canvas:
    """An answer that grows downwards: rows of tiles are added up in floats, and are pixels once no other follows."""

    def __init__(self, tensor: Image, height: int, width: int, rows: _Side, columns: _Side) -> None:
        self.pixels = np.empty((height * tensor.scale, width * tensor.scale, tensor.channels), np.uint8)
        self._tensor, self._rows, self._columns = tensor, rows, columns
        self._row_weights, self._column_weights = rows.weights(tensor.scale), columns.weights(tensor.scale)
        across = columns.starts[-1] + columns.length
        self._sum = np.zeros((tensor.channels, rows.length * tensor.scale, across * tensor.scale), np.float32)

    def add(self, made: NDArray[np.float32], row: int, column: int) -> None:
        """Add a tile (channels, height, width), which is spoilt by that."""
        left = self._columns.starts[column] * self._tensor.scale
        made *= np.outer(self._row_weights[row], self._column_weights[column])
        self._sum[:, :, left : left + made.shape[2]] += made

    def settle(self, row: int) -> None:
        """All tiles of this row were added: what the next row does not reach is done."""
        start, *following = itertools.islice(self._rows.starts, row, row + 2)
        done = (following[0] - start if following else self._rows.length) * self._tensor.scale
        top = start * self._tensor.scale
        target = self.pixels[top : top + done]
        target[:] = to_pixels(self._sum[None, :, : len(target), : target.shape[1]], self._tensor)[0]
        self._sum[:, :-done] = self._sum[:, done:]
        self._sum[:, -done:] = 0
