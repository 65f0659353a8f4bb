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
from gan_serve.tensors import Input, InputTensor

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

    All inputs of one kind have the same extreme. Kinds are combined in every way, except that labels, which have too
    many, go through their classes: every class occurs.
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


def _rows(counts: dict[type[Input], int]) -> list[dict[type[Input], int]]:
    """Choose an extreme of each kind of input for each row. `counts` is each kind's number of extremes."""
    combined = {kind: range(count) for kind, count in counts.items() if kind.combined}
    others = {kind: count for kind, count in counts.items() if not kind.combined}
    combinations = [dict(zip(combined, places, strict=True)) for places in product(*combined.values())]
    number = max(len(combinations), *others.values(), 0)
    return [
        combinations[row % len(combinations)] | {kind: row % count for kind, count in others.items()}
        for row in range(number)
    ]


def _extremes_of(tensor: InputTensor, side: int) -> Sequence[NDArray[Any]]:
    """Return the extremes of an input, each in the shape of one item."""
    shape = tensor.shape_at(side, side)
    return [np.resize(np.array(pattern, tensor.dtype), shape) for pattern in tensor.extremes]
