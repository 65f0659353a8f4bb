"""What a user asks a model for, checked: which images, out of which seed, with which inputs."""

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
from gan_serve.tensors import Image, Label, Mask, Scalar

Choice = Label | Scalar | Image | Mask  # an input that a user sets
Value = int | float | ImageRef
Inputs = dict[str, Value]  # what a user chose, by the input's name


@dataclass(frozen=True)
class Item:
    """One image: its random stream, its inputs, and what comes from a second seed."""

    index: int
    inputs: Inputs
    mixing: LatentMixing | None = None


@dataclass(frozen=True)
class Request:
    """`count` images for each of the rows in `inputs`; the same place in every row has the same random stream.

    With a second seed, several come of each of them.
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
        """How many images come of each one by a second seed."""
        return self.mixing.width(self.count) if self.mixing else 1

    @property
    def files(self) -> list[Path]:
        """Where the images lie that go in, as far as they are files."""
        return [
            value.path for row in self.inputs for value in row.values() if isinstance(value, ImageInput) and value.path
        ]

    @property
    def remarks(self) -> list[str]:
        """What is not taken of the images that go in, each said once, by the inputs' names."""
        named = [(name, value) for row in self.inputs for name, value in row.items() if isinstance(value, ImageInput)]
        return [*dict.fromkeys(f"{name} {remark}" for name, value in named for remark in value.remarks)]

    def item(self, place: int) -> Item:
        """The image at one place; places run through row after row."""
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
    """Check a user's wishes against what the model takes. `None` stands for a value that was not given.

    Raises:
        UsageError: an unknown input, an invalid value, or more than `max_images` images.
        Failure: an image cannot be read.
    """
    check_names(metadata, values)
    given = {name: value for name, value in values.items() if value is not None}
    tensors = choices(metadata)
    for image in metadata.image_inputs:
        if image.name not in given:
            raise UsageError(f"{metadata.name} needs {image.name}: {image.about}")
    if seed is None:
        seed = random_seed() if metadata.is_random else 0
    seed = checked_integer("seed", seed, 0, STREAMS - 1)
    index = checked_integer("index", index, 0, STREAMS - 1)
    count = checked_integer("count", count, 1, min(MAX_IMAGES, STREAMS - index))
    if mixing:
        mixing = checked_mixing(metadata, mixing, count)
    if count > 1 and not metadata.is_random:
        raise UsageError(f"{metadata.name} draws nothing at random: a count of {count} would repeat the same answer")
    sweeps = {name: _parse(metadata, tensor, given[name]) for name, tensor in tensors.items() if name in given}
    pictures = {image.name: sweeps.pop(image.name) for image in metadata.image_inputs}
    check_pairs({name: len(values) for name, values in pictures.items()})
    each = count * (mixing.width(count) if mixing else 1)
    images = each * _together(pictures) * math.prod(map(len, sweeps.values()))
    if images > max_images:  # before any list of them is made
        raise UsageError(f"{images} images are too many for one request; ask for up to {max_images}")
    return Request(seed, index, count, _rows(pictures, sweeps), mixing)


def choices(metadata: ModelMetadata) -> dict[str, Choice]:
    """The inputs that a user sets, by name; the others are noise."""
    return {tensor.name: tensor for tensor in metadata.inputs if isinstance(tensor, Choice)}


def check_names(metadata: ModelMetadata, names: Iterable[str], options: Iterable[str] = ()) -> None:
    """Refuse a name that is no input's; the user may also have meant one of the `options`.

    Raises:
        UsageError: there is no such input.
    """
    known = list(choices(metadata))
    for name in names:
        if name not in known:
            takes = ", ".join(known) or "none"
            meant = nearest(name, known) or nearest(name, options)
            raise UsageError(f"{metadata.name} has no input {short_repr(name)}{meant}; it takes {takes}")


def check_output_size(metadata: ModelMetadata, name: str, source: ImageInput) -> None:
    """Refuse an image for the input `name` if what is made of it would be too large.

    Raises:
        Failure: it would.
    """
    for scale in [image.scale for image in metadata.image_outputs if image.like == name]:
        width, height = (side * scale for side in source.size)
        if max(width, height) > MAX_SIDE:
            raise Failure(
                f"{source.file or name}: {width}x{height} pixels would be made of it, at most {MAX_SIDE} a side "
                "are written; give a smaller image"
            )


def check_pairs(counts: Mapping[str, int]) -> None:
    """Refuse numbers of images for several inputs that do not go together.

    Raises:
        UsageError: they do not.
    """
    if len(set(counts.values()) - {1}) > 1:
        told = " and ".join(f"{count} of {name}" for name, count in counts.items())
        raise UsageError(
            f"images belong together one by one, and there are {told}; give as many of each, or one for all"
        )


def _parse(metadata: ModelMetadata, tensor: Choice, value: object) -> Sequence[Value]:
    if not isinstance(tensor, Image | Mask):
        return tensor.parse(value)
    sources = parse_images(tensor, value)
    for source in sources:
        check_output_size(metadata, tensor.name, source)
    return sources


def _rows(images: Mapping[str, Sequence[Value]], sweeps: Mapping[str, Sequence[Value]]) -> tuple[Inputs, ...]:
    """A row for each combination of values; but the k-th mask belongs to the k-th image, not to all."""
    for name, values in [*images.items(), *sweeps.items()]:
        if not values:
            raise UsageError(f"{name} is an empty list")
    sets = [
        {name: values[place % len(values)] for name, values in images.items()} for place in range(_together(images))
    ]
    return tuple(
        {**chosen, **dict(zip(sweeps, row, strict=True))}
        for chosen in sets
        for row in itertools.product(*sweeps.values())
    )


def _together(images: Mapping[str, Sequence[Value]]) -> int:
    """How many sets of images there are that belong together."""
    return max((len(values) for values in images.values()), default=1)
