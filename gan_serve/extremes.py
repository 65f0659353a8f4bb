"""Extreme inputs, where a network is most likely to fail: zeros, the ends of every range, and extreme noise."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.generator import batch_size
from gan_serve.metadata import ModelMetadata
from gan_serve.sampling import Arrays
from gan_serve.tensors import InputTensor, Label, Latent, Mask, Raster

_SIDE = 16  # minimum side in pixels of an image of any size


def try_extremes(metadata: ModelMetadata, infer: Callable[[Arrays], object]) -> None:
    """Run a model on all of its extreme inputs. `infer` takes the graph's inputs, and raises if the output is wrong.

    Raises:
        Failure: The error that `infer` raised.
    """
    for arrays in extremes(metadata):
        infer(arrays)


def extremes(metadata: ModelMetadata) -> Iterator[Arrays]:
    """Yield the graph's extreme inputs in batches of the served size.

    All latents have the same kind of extreme, as do all scalars, images and masks. These four kinds are combined in
    every way, and every label occurs.
    """
    side = smallest_side(metadata.multiple)
    values = {tensor.name: _extremes_of(tensor, side) for tensor in metadata.inputs}
    rows = _rows({type(tensor): len(values[tensor.name]) for tensor in metadata.inputs})
    size = batch_size(metadata)
    for batch in (rows[at : at + size] for at in range(0, len(rows), size)):
        yield {
            tensor.name: np.stack([values[tensor.name][row[type(tensor)]] for row in batch])
            for tensor in metadata.inputs
        }


def smallest_side(multiple: int) -> int:
    """Return the side of a small test image for a model whose sides must be a multiple of this number."""
    return multiple * math.ceil(_SIDE / multiple)


def _rows(counts: dict[type[InputTensor], int]) -> list[dict[type[InputTensor], int]]:
    """Choose an extreme of each kind of input for each row. `counts` is each kind's number of extremes."""
    others = {kind: range(count) for kind, count in counts.items() if kind is not Label}
    combinations = [dict(zip(others, places, strict=True)) for places in product(*others.values())]
    labels = counts.get(Label, 1)
    number = max(labels, len(combinations))
    return [combinations[row % len(combinations)] | {Label: row % labels} for row in range(number)]


def _extremes_of(tensor: InputTensor, side: int) -> Sequence[NDArray[Any]]:
    """Return the extremes of an input, each in the shape of one item."""
    shape = tensor.shape_at(side, side) if isinstance(tensor, Raster) else tensor.shape
    patterns: list[tuple[float, ...]]
    match tensor:
        case Label(classes=classes):
            patterns = [(index,) for index in range(len(classes))]
        case Latent(low=low, high=high):
            patterns = [(0,), (high,), (low,), (low, high)]
        case Mask(low=low, high=high):
            patterns = [(low,), (high,)]
        case _:
            patterns = [(tensor.low,), ((tensor.low + tensor.high) / 2,), (tensor.high,)]
    return [np.resize(np.array(pattern, tensor.dtype), shape) for pattern in patterns]
