"""Validate what a user asks of a model: how many images, from which seed, with which inputs."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_serve.errors import Failure, UsageError, short_repr
from gan_serve.image_arguments import parse_images
from gan_serve.image_inputs import ImageInput, ImageRef
from gan_serve.images.limits import MAX_SIDE
from gan_serve.latent_mixing import LatentMixing, checked_mixing
from gan_serve.metadata import ModelMetadata
from gan_serve.seeds import MAX_IMAGES, STREAMS, checked_integer, random_seed
from gan_serve.suggestions import nearest
from gan_serve.tensors import Image, Mask, Plain, Written

Value = Plain | ImageRef
Inputs = dict[str, Value]  # the user's values by input name


@dataclass(frozen=True)
class Item:
    """One image: the index of its random stream, its inputs, and its mixing with a second seed."""

    index: int
    inputs: Inputs
    mixing: LatentMixing | None = None


@dataclass(frozen=True)
class Request:
    """`count` images for each row of `inputs`. Images in the same column share a random stream.

    Mixing with a second seed multiplies them: see `width`.
    """

    seed: int
    index: int
    count: int
    inputs: tuple[Inputs, ...]
    mixing: LatentMixing | None = None

    def __len__(self) -> int:
        return len(self.inputs) * self.count * self.width

    @property
    def width(self) -> int:
        """The number of images that mixing makes of each one."""
        return self.mixing.width(self.count) if self.mixing else 1

    @property
    def files(self) -> list[Path]:
        """The paths of the input images that are files."""
        return [
            value.path for row in self.inputs for value in row.values() if isinstance(value, ImageInput) and value.path
        ]

    @property
    def remarks(self) -> list[str]:
        """Warnings about the input images, prefixed with the input's name, without duplicates."""
        named = [(name, value) for row in self.inputs for name, value in row.items() if isinstance(value, ImageInput)]
        return [*dict.fromkeys(f"{name} {remark}" for name, value in named for remark in value.remarks)]

    def item(self, place: int) -> Item:
        """Return the image at one position, counted row by row."""
        image, step = divmod(place, self.width)
        row, number = divmod(image, self.count)
        mixing = self.mixing and self.mixing.at(step, self.index)
        return Item(self.index + number, self.inputs[row], mixing)


def make_request(
    metadata: ModelMetadata,
    values: Mapping[str, object],
    *,
    count: int = 1,
    seed: int | None = None,
    index: int = 0,
    mixing: LatentMixing | None = None,
    max_images: int = MAX_IMAGES,
) -> Request:
    """Check a user's values against the model's inputs. `None` means that a value is absent.

    Raises:
        UsageError: An input is unknown, a value is invalid, or there are more than `max_images` images.
        Failure: An image cannot be read.
    """
    check_names(metadata, values)
    present = {name: value for name, value in values.items() if value is not None}
    for image in metadata.image_inputs:
        if image.name not in present:
            raise UsageError(f"{metadata.name} needs {image.name}: {image.about}")
    if seed is None:
        seed = random_seed() if metadata.is_random else 0
    seed = checked_integer("seed", seed, 0, STREAMS - 1)
    index = checked_integer("index", index, 0, STREAMS - 1)
    count = checked_integer("count", count, 1, min(MAX_IMAGES, STREAMS - index))
    if mixing:
        mixing = checked_mixing(metadata, mixing, count)
    if count > 1 and not metadata.is_random:
        raise UsageError(f"{metadata.name} is deterministic: a count of {count} would repeat the same output")
    images = {each.name: _images(metadata, each, present[each.name]) for each in metadata.image_inputs}
    written = [tensor for tensor in metadata.choices.values() if isinstance(tensor, Written) and tensor.name in present]
    sweeps = {tensor.name: tensor.parse(present[tensor.name]) for tensor in written}
    check_pairs({name: len(values) for name, values in images.items()})
    per_row = count * (mixing.width(count) if mixing else 1)
    total = per_row * _pair_count(images) * math.prod(map(len, sweeps.values()))
    if total > max_images:  # before a list of them exists
        raise UsageError(f"{total} images are too many for one request; ask for up to {max_images}")
    return Request(seed, index, count, _rows(images, sweeps), mixing)


def check_names(metadata: ModelMetadata, names: Iterable[str], options: Iterable[str] = ()) -> None:
    """Reject unknown input names. The error suggests a similar input or one of the `options`.

    Raises:
        UsageError: The model has no such input.
    """
    known = list(metadata.choices)
    for name in names:
        if name not in known:
            takes = ", ".join(known) or "none"
            meant = nearest(name, known) or nearest(name, options)
            raise UsageError(f"{metadata.name} has no input {short_repr(name)}{meant}; it takes {takes}")


def check_output_size(metadata: ModelMetadata, name: str, source: ImageInput) -> None:
    """Reject an image for the input `name` if the output would be too large.

    Raises:
        Failure: A side of the output exceeds the limit.
    """
    for scale in [image.scale for image in metadata.image_outputs if image.like == name]:
        width, height = (side * scale for side in source.size)
        if max(width, height) > MAX_SIDE:
            raise Failure(
                f"{source.file or name}: its output would have {width}x{height} pixels, and the limit is {MAX_SIDE} "
                "a side; give a smaller image"
            )


def check_pairs(counts: Mapping[str, int]) -> None:
    """Reject image inputs of different lengths. A single image is repeated for all.

    Raises:
        UsageError: The lengths differ.
    """
    if len(set(counts.values()) - {1}) > 1:
        numbers = " and ".join(f"{count} of {name}" for name, count in counts.items())
        raise UsageError(
            f"images are paired one by one, but there are {numbers}; give the same number of each, or one for all"
        )


def _images(metadata: ModelMetadata, tensor: Image | Mask, value: object) -> Sequence[ImageInput]:
    sources = parse_images(tensor, value)
    for source in sources:
        check_output_size(metadata, tensor.name, source)
    return sources


def _rows(images: Mapping[str, Sequence[Value]], sweeps: Mapping[str, Sequence[Value]]) -> tuple[Inputs, ...]:
    """Return a row for each combination of values, except that the k-th mask is paired with the k-th image."""
    for name, values in [*images.items(), *sweeps.items()]:
        if not values:
            raise UsageError(f"{name} is an empty list")
    pairs = [
        {name: values[place % len(values)] for name, values in images.items()} for place in range(_pair_count(images))
    ]
    return tuple(
        {**pair, **dict(zip(sweeps, row, strict=True))} for pair in pairs for row in itertools.product(*sweeps.values())
    )


def _pair_count(images: Mapping[str, Sequence[Value]]) -> int:
    """Return the number of image sets, such as pairs of an image and a mask."""
    return max((len(values) for values in images.values()), default=1)
