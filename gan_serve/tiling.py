"""Pictures of any size through a network: padded to what it takes, and in tiles where they are large.

Tiles overlap. In the middle half of each overlap one fades into the other, and the outer quarters are thrown away, so
that a seam is seen neither where a network looks beyond a tile's edge nor where it makes tiles of different colours.
Memory is that of a row of tiles in floats, beside the pixels of the whole answer.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.pixels import Pixels, to_pixels
from gan_serve.tensors import Image

Arrays = Mapping[str, NDArray[Any]]


def run_in_tiles(
    run: Callable[[Arrays], Arrays], arrays: Arrays, tensor: Image, outputs: Sequence[Image]
) -> dict[str, Pixels]:
    """The pixels (height * scale, width * scale, channels) of each output.

    `arrays` are (1, channels, height, width), all of one height and width; `run` takes a part of them at a time, and
    answers for that part by the outputs' names. `tensor` says how large the parts may be.
    """
    height, width = next(iter(arrays.values())).shape[2:]
    below, beside = -height % tensor.multiple, -width % tensor.multiple
    padded = {
        name: np.pad(array, ((0, 0), (0, 0), (0, below), (0, beside)), "reflect") for name, array in arrays.items()
    }
    rows, columns = _Side(height + below, tensor), _Side(width + beside, tensor)
    canvases = {output.name: _Canvas(output, height, width, rows, columns) for output in outputs}
    for row, top in enumerate(rows.starts):
        for column, left in enumerate(columns.starts):
            box = np.s_[:, :, top : top + rows.length, left : left + columns.length]
            made = run({name: array[box] for name, array in padded.items()})
            for name, canvas in canvases.items():
                canvas.add(made[name][0], row, column)
        for canvas in canvases.values():
            canvas.settle(row)
    return {name: canvas.pixels for name, canvas in canvases.items()}


class _Side:
    """How one side of a picture is cut: tiles of equal length whose starts are multiples, spread evenly."""

    def __init__(self, length: int, tensor: Image) -> None:
        multiple = tensor.multiple
        self.length = min(tensor.tile or length, length)
        self.overlap = tensor.overlap
        stride = (self.length - tensor.overlap) // multiple * multiple
        last = length - self.length
        gaps = -(-last // stride) if last else 0
        self.starts = [last // multiple * number // gaps * multiple for number in range(gaps + 1)] if gaps else [0]

    def weights(self, place: int, scale: int) -> NDArray[np.float32]:
        """How much each line of the tile at this place counts; those of all tiles add up to 1 everywhere."""
        counts = np.ones(self.length * scale)
        if place > 0:
            counts *= self._share_of_next(place - 1, place, scale)
        if place + 1 < len(self.starts):
            counts *= 1 - self._share_of_next(place, place, scale)
        return counts.astype(np.float32)

    def _share_of_next(self, before: int, place: int, scale: int) -> NDArray[np.float64]:
        """From 0 to 1 in the middle half of the overlap of the tiles `before` and `before + 1`, for a tile's lines."""
        seam = (self.starts[before] + self.length + self.starts[before + 1]) / 2 * scale
        ramp = max(self.overlap * scale / 2, 1)
        lines = self.starts[place] * scale + np.arange(self.length * scale) + 0.5
        return ((lines - seam) / ramp + 0.5).clip(0, 1)


class _Canvas:
    """An answer that grows downwards: rows of tiles are added up in floats, and are pixels once no other follows."""

    def __init__(self, tensor: Image, height: int, width: int, rows: _Side, columns: _Side) -> None:
        self.pixels = np.empty((height * tensor.scale, width * tensor.scale, tensor.channels), np.uint8)
        self._tensor, self._rows, self._columns = tensor, rows, columns
        across = columns.starts[-1] + columns.length
        self._sum = np.zeros((tensor.channels, rows.length * tensor.scale, across * tensor.scale), np.float32)

    def add(self, made: NDArray[np.float32], row: int, column: int) -> None:
        """Add a tile (channels, height, width)."""
        scale = self._tensor.scale
        weights = np.outer(self._rows.weights(row, scale), self._columns.weights(column, scale))
        left = self._columns.starts[column] * scale
        self._sum[:, :, left : left + made.shape[2]] += made * weights

    def settle(self, row: int) -> None:
        """All tiles of this row were added: what the next row does not reach is done."""
        start, *following = itertools.islice(self._rows.starts, row, row + 2)
        done = (following[0] - start if following else self._rows.length) * self._tensor.scale
        top = start * self._tensor.scale
        target = self.pixels[top : top + done]
        target[:] = to_pixels(self._sum[None, :, : len(target), : target.shape[1]], self._tensor)[0]
        self._sum[:, :-done] = self._sum[:, done:]
        self._sum[:, -done:] = 0
