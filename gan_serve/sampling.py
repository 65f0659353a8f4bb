"""Turn a seed into a model's inputs, bit for bit the same on every machine and in every release.

Every (seed, index, input) has its own random stream: a counter-based generator keyed with these three. An image is
therefore the same alone, in a batch, and in any order. Numbers come from `RandomState`, whose distributions NumPy
has frozen; those of the newer `Generator` may change between releases.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from gan_serve.latent_mixing import Interpolation, StyleMix
from gan_serve.request import Item
from gan_serve.tensors import InputTensor, Latent, Plain, Written

Arrays = dict[str, NDArray[Any]]
Noise = NDArray[np.float64]

_MIN_SINE = 1e-6  # below it, interpolate linearly: the arc is too short, or its direction is undefined


def random_stream(seed: int, index: int, name: str) -> np.random.RandomState:
    """Return the random stream of one input of one image."""
    counter = np.array([0, 0, 0, zlib.crc32(name.encode())], np.uint64)
    philox = np.random.Philox(_Key(seed, index), counter=counter)  # type: ignore[arg-type]  # stubs know SeedSequence
    return np.random.RandomState(philox)


class _Key(ISeedSequence):
    """A key that Philox takes without hashing a seed, which would take twice as long as the sampling."""

    def __init__(self, seed: int, index: int) -> None:
        self._words = np.array([seed, index], np.uint64)  # NumPy turns a list of large integers into floats

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> NDArray[Any]:
        """Return the key: two 64-bit words."""
        return self._words


def complete(tensors: Sequence[InputTensor], seed: int, item: Item) -> Item:
    """Return the item with every number and text set: a missing one is sampled, or takes its default."""
    absent = [tensor for tensor in tensors if isinstance(tensor, Written) and tensor.name not in item.inputs]
    chosen = {tensor.name: _chosen(tensor, seed, item.index) for tensor in absent}
    return replace(item, inputs={**item.inputs, **chosen})


def _chosen(tensor: Written, seed: int, index: int) -> Plain:
    fixed = tensor.fixed
    return tensor.draw(random_stream(seed, index, tensor.name)) if fixed is None else fixed


def input_arrays(tensors: Sequence[InputTensor], seed: int, items: Sequence[Item]) -> Arrays:
    """Return the session's input arrays for these completed items."""
    return {
        tensor.name: np.array([_value(tensor, seed, item) for item in items], dtype=tensor.dtype) for tensor in tensors
    }


def _value(tensor: InputTensor, seed: int, item: Item) -> Any:
    return _latent(tensor, seed, item) if isinstance(tensor, Latent) else tensor.encode(item.inputs[tensor.name])


def _latent(tensor: Latent, seed: int, item: Item) -> Noise:
    match item.mixing:
        case StyleMix(seed=other, latents=mixed, index=int(index)) if tensor.name in mixed:
            return _noise(tensor, other, index)
        case Interpolation(seed=other, steps=steps, step=int(step)):
            start, goal = _noise(tensor, seed, item.index), _noise(tensor, other, item.index)
            return _interpolate(tensor, start, goal, step / (steps - 1))
        case _:
            return _noise(tensor, seed, item.index)


def _noise(tensor: Latent, seed: int, index: int) -> Noise:
    return tensor.draw(random_stream(seed, index, tensor.name))


def _interpolate(tensor: Latent, start: Noise, goal: Noise, share: float) -> Noise:
    """Interpolate spherically between normal vectors, linearly between uniform ones. The ends are exact.

    Points on a straight line between two normal vectors are too short to be typical samples.
    """
    if share in (0, 1):
        return goal if share else start
    return slerp(start, goal, share) if tensor.distribution == "normal" else _lerp(start, goal, share)


def slerp(start: Noise, goal: Noise, share: float) -> Noise:
    """Return the vector at this share of the arc between two."""
    angle = _angle(start, goal)
    if math.sin(angle) < _MIN_SINE:
        return _lerp(start, goal, share)
    return (math.sin((1 - share) * angle) * start + math.sin(share * angle) * goal) / math.sin(angle)


def _lerp(start: Noise, goal: Noise, share: float) -> Noise:
    return (1 - share) * start + share * goal


def _angle(start: Noise, goal: Noise) -> float:
    """Return the angle between two vectors. Exact sums (`fsum`) make it the same on every processor."""
    norms = math.sqrt(math.fsum(start * start) * math.fsum(goal * goal))
    return math.acos(max(-1.0, min(1.0, math.fsum(start * goal) / norms)))
