"""Between seeds: a walk from one image to another, and images that take some of their noise from a second seed.

>>> frames = walk(gan_serve.load("acgan"), 1, 2, steps=16, label=3)
>>> frames[0].save("walk.gif", save_all=True, append_images=frames[1:])
"""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.metadata import ModelMetadata
from gan_serve.pixels import Picture, to_picture, to_pixels
from gan_serve.request import Request, make_request
from gan_serve.result import image_tensor
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.tensors import Latent

Noise = NDArray[np.float32]


def walk(generator: Generator, first: int, last: int, *, steps: int = 16, **inputs: object) -> list[Picture]:
    """The image of the seed `first` turning into that of `last`; both ends are the bits that `generate` makes.

    Raises:
        UsageError: the model draws no noise, or an input that it does not take.
    """
    request = make_request(generator.metadata, inputs, seed=first)
    return make_pictures(generator.metadata, generator.infer(walk_arrays(generator.metadata, request, last, steps)))


def mix(
    generator: Generator, first: int, second: int, *, taken: Collection[str], size: int = 4, **inputs: object
) -> list[Picture]:
    """Row after row of a square: all images of a row share the noise of `first`, all of a column that of `second`.

    `taken` are the names of the latents that come from `second`; `size` is how many rows and columns there are.

    Raises:
        UsageError: no such latent, or an input that the model does not take.
    """
    request = make_request(generator.metadata, inputs, seed=first, count=size)
    return make_pictures(generator.metadata, generator.infer(mix_arrays(generator.metadata, request, second, taken)))


def walk_arrays(metadata: ModelMetadata, request: Request, last: int, steps: int) -> Arrays:
    """The graph's inputs for a walk from the first image of a request to that of another seed."""
    if steps < 2:
        raise UsageError(f"a walk of {steps} steps goes nowhere; take 2 or more")
    start = complete(metadata.inputs, request.seed, request.item(0))
    arrays = input_arrays(metadata.inputs, request.seed, [start] * steps)
    goal = input_arrays(metadata.inputs, last, [start])
    shares = np.linspace(0, 1, steps)
    for latent in latents_of(metadata):
        ends = arrays[latent.name][0], goal[latent.name][0]
        between = _along_arc if latent.distribution == "normal" else _along_line
        arrays[latent.name] = np.array([between(*ends, share) for share in shares], np.float32)
    return arrays


def mix_arrays(metadata: ModelMetadata, request: Request, second: int, taken: Collection[str]) -> Arrays:
    """The graph's inputs for every pair of images of a request with images of another seed."""
    known = {latent.name for latent in latents_of(metadata)}
    if unknown := sorted(set(taken) - known):
        raise UsageError(f"{metadata.name} has no latent {unknown[0]!r}; it has {', '.join(sorted(known))}")
    items = [complete(metadata.inputs, request.seed, request.item(place)) for place in range(request.count)]
    rows = [item for item in items for _ in items]
    arrays = input_arrays(metadata.inputs, request.seed, rows)
    others = input_arrays([each for each in metadata.inputs if each.name in taken], second, items * len(items))
    return arrays | others


def latents_of(metadata: ModelMetadata) -> tuple[Latent, ...]:
    """The noise that a model takes.

    Raises:
        UsageError: it takes none.
    """
    latents = tuple(tensor for tensor in metadata.inputs if isinstance(tensor, Latent))
    if not latents:
        raise UsageError(f"{metadata.name} draws no noise, so that there is nothing between two seeds")
    return latents


def make_pictures(metadata: ModelMetadata, outputs: Mapping[str, NDArray[np.float32]]) -> list[Picture]:
    """What the graph made, for people; several outputs stand side by side."""
    tensor = image_tensor(metadata)
    array = np.concatenate([outputs[each.name] for each in metadata.image_outputs], axis=-1)
    return [to_picture(pixels, 1) for pixels in to_pixels(array, tensor)]


def _along_arc(start: Noise, goal: Noise, share: float) -> Noise:
    """On a sphere: what lies straight between two points of a normal distribution is nearer to 0 than its noise."""
    cosine = np.dot(start, goal) / (np.linalg.norm(start) * np.linalg.norm(goal))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if angle < 1e-6:
        return _along_line(start, goal, share)
    whole = np.sin(angle)
    arc: Noise = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * goal) / whole
    return arc


def _along_line(start: Noise, goal: Noise, share: float) -> Noise:
    line: Noise = (1 - share) * start + share * goal
    return line
