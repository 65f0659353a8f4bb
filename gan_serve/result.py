"""The result of a request: arrays, and methods that show, encode and save them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure, UsageError
from gan_serve.formats import ANIMATIONS, NUMBERS, check_format, formats_of, plan_output
from gan_serve.image_inputs import ImageInput
from gan_serve.images.encoding import encode_animation, encode_image, make_folder, write_atomic
from gan_serve.images.limits import MAX_SIDE
from gan_serve.images.npy import encode_npy
from gan_serve.images.pixels import (
    PilImage,
    Pixels,
    check_length,
    check_size,
    checked_scale,
    make_cells,
    square_columns,
    tile,
    to_image,
    to_pixels,
)
from gan_serve.metadata import ModelMetadata
from gan_serve.naming import item_stem, request_stem
from gan_serve.numeric_outputs import NumericOutputs, encode_numeric_outputs, make_numeric_outputs
from gan_serve.provenance import item_request, write_provenance
from gan_serve.request import Item, Request
from gan_serve.sampling import Arrays
from gan_serve.seeds import checked_integer
from gan_serve.system.text import path_text
from gan_serve.tensors import Image


@dataclass(frozen=True, eq=False)
class Result:
    """The images or numbers that a model returned for a request, with everything needed to reproduce them."""

    metadata: ModelMetadata
    sha256: str
    request: Request
    items: tuple[Item, ...]  # random stream and inputs of each image
    outputs: Arrays = field(repr=False)  # the network's arrays, except images of any size
    fitted_images: dict[str, list[Pixels]] = field(repr=False, default_factory=dict)  # resized like an input image

    def __len__(self) -> int:
        return len(self.items)

    @property
    def seed(self) -> int:
        """The seed, whether it was given or random."""
        return self.request.seed

    @property
    def array(self) -> NDArray[Any]:
        """The images (N, channels, height, width). If the model has several image outputs, they are side by side.

        They have the network's output size, even where `images()` are as large as the input images.

        Raises:
            UsageError: The model makes no images, or images of any size.
        """
        array_shape(self.metadata)
        first, *others = [self.outputs[tensor.name] for tensor in self.metadata.image_outputs]
        return np.concatenate([first, *others], axis=-1) if others else first

    def answers(self) -> list[NumericOutputs]:
        """Return the inputs and numeric outputs of each image by name, as plain Python values.

        >>> result.answers()
        [{'image': 'seven.png', 'classes': {'0': 2e-06, ...}, 'classes_top': '7', 'realness': 0.988342}]
        """
        return [
            make_numeric_outputs(
                item.inputs, self.metadata.outputs, {name: rows[place] for name, rows in self.outputs.items()}
            )
            for place, item in enumerate(self.items)
        ]

    def images(self, scale: int = 1) -> list[PilImage]:
        """Return Pillow images, with each pixel enlarged to `scale` x `scale`.

        Raises:
            UsageError: They would be too large, or `scale` is not a positive integer.
        """
        scale = checked_scale(scale)
        return [to_image(pixels, scale) for pixels in self._pixels()]

    def grid(self, columns: int | None = None, scale: int = 1) -> PilImage:
        """Return one image with all images: a row for several of the same input, otherwise nearly a square.

        Raises:
            UsageError: It would be too large, or `columns` or `scale` is not a positive integer.
        """
        scale = checked_scale(scale)
        columns = grid_columns(self.request) if columns is None else _checked_columns(columns)
        check_size(*largest_size(self.metadata, self.request), len(self), columns, scale)
        return to_image(tile(self._pixels(), columns), scale)

    def encode(self, format: str | None = None, *, scale: int = 1, columns: int | None = None) -> bytes:
        """Return one file as bytes: an array, a grid of `columns`, an animation, an image, or numbers.

        Raises:
            UsageError: The result does not fit into such a file, or `columns` or `scale` is not a positive integer.
        """
        formats, scale = formats_of(self.metadata), checked_scale(scale)
        format = format or formats.default
        check_format(format, formats, images=len(self), grid=columns is not None)
        if format == "npy":
            return encode_npy(self.array, self._document(self.request, scale, columns))
        if columns is not None:
            return encode_image(self.grid(columns, scale), format, self._document(self.request, scale, columns))
        if format == NUMBERS.many:
            return encode_numeric_outputs(self.answers())
        if len(self) > 1 and format in ANIMATIONS:
            check_length(*largest_size(self.metadata, self.request), len(self), scale)
            frames = [to_image(pixels, scale) for pixels in make_cells(self._pixels(), len(self))]
            return encode_animation(frames, format, self._document(self.request, scale), self._durations())
        if len(self) > 1:
            raise UsageError(f"{len(self)} images do not fit into one {format}; {formats.advice}")
        return next(self._contents_each(format, scale))

    def encode_each(self, format: str, scale: int = 1) -> Iterator[tuple[str, bytes]]:
        """Yield a file name and the file's bytes for each image."""
        for item, content in zip(self.items, self._contents_each(format, scale), strict=True):
            yield f"{item_stem(self.metadata, self.seed, item)}.{format}", content

    def save(
        self, path: str | PathLike[str], *, scale: int = 1, grid: bool = False, format: str | None = None
    ) -> list[Path]:
        """Write one file (an image, a grid, an animation, an array), or one per image into a folder. Return the paths.

            >>> result.save("three.png")  # the only image
            >>> result.save("threes.png", grid=True, scale=4)
            >>> result.save("threes.npy")  # the array
            >>> result.save("threes.gif")  # one image after the other; or .webp
            >>> result.save("threes/", format="webp")  # one file per image
            >>> result.save("digits.jsonl")  # a model with numeric outputs: one line per image

        Raises:
            UsageError: Several images do not fit into one file, the format does not exist, or `scale` is not a
                positive integer.
        """
        scale = checked_scale(scale)
        stem = request_stem(self.metadata, self.request)
        formats = formats_of(self.metadata)
        output = plan_output(path_text("path", path), format, formats, stem=stem, images=len(self), grid=grid)
        make_folder(output.path if output.folder else output.path.parent)
        if not output.folder:
            columns = grid_columns(self.request) if grid else None
            write_atomic(output.path, self.encode(output.format, scale=scale, columns=columns))
            return [output.path]
        paths = []
        for name, content in self.encode_each(output.format, scale):
            write_atomic(output.path / name, content)
            paths.append(output.path / name)
        return paths

    def _contents_each(self, format: str, scale: int) -> Iterator[bytes]:
        return self._images_each(format, scale) if self.metadata.image_outputs else self._numbers_each()

    def _numbers_each(self) -> Iterator[bytes]:
        return (encode_numeric_outputs([answer]) for answer in self.answers())

    def _images_each(self, format: str, scale: int) -> Iterator[bytes]:
        for item, pixels in zip(self.items, self._pixels(), strict=True):
            document = self._document(item_request(self.seed, item), scale)
            yield encode_image(to_image(pixels, scale), format, document)

    def _document(self, request: Request, scale: int, columns: int | None = None) -> str:
        scale, columns = checked_scale(scale), None if columns is None else _checked_columns(columns)
        return write_provenance(self.metadata, self.sha256, request, scale=scale, columns=columns)

    def _pixels(self) -> Sequence[Pixels] | Pixels:
        tensor = image_tensor(self.metadata)
        if not tensor.like:
            return to_pixels(self.array, tensor)
        first, *others = self.fitted_images.values()
        return [np.concatenate(images, axis=1) for images in zip(first, *others, strict=True)] if others else first

    def _durations(self) -> list[int | None]:
        """Return each image's duration in an animation, taken from the input frames; empty if none has one."""
        sources = [[each for each in item.inputs.values() if isinstance(each, ImageInput)] for item in self.items]
        times = [next((each.duration for each in row if each.duration is not None), None) for row in sources]
        return times if any(time is not None for time in times) else []


def _checked_columns(columns: object) -> int:
    return checked_integer("columns", columns, 1, MAX_SIDE)


def grid_columns(request: Request) -> int:
    """Return the columns of a request's grid.

    Several images of each row of inputs, or mixed images, are in a row of their own; others are nearly a square.
    """
    if request.width > 1:
        return request.width
    return request.count if len(request.inputs) > 1 and request.count > 1 else square_columns(len(request))


def image_tensor(metadata: ModelMetadata) -> Image:
    """Return a model's image output; several are treated as one image, side by side.

    Raises:
        UsageError: The model makes no images.
        Failure: The images differ in size or kind.
    """
    images = metadata.image_outputs
    if not images:
        kinds = " and ".join(tensor.kind for tensor in metadata.outputs)
        raise UsageError(f"{metadata.name} makes no images; its {kinds} are in the result's answers() and outputs")
    if len(images) == 1:
        return images[0]
    if len({(image.shape[:2], image.low, image.high, image.like, image.scale) for image in images}) > 1:
        raise Failure(f"{metadata.name} makes images of several sizes or kinds; this gan-serve cannot show them")
    return images[0] if images[0].any_size else replace(images[0], width=sum(image.shape[2] for image in images))


def array_shape(metadata: ModelMetadata) -> tuple[int, ...]:
    """Return the shape of one image in an array.

    Raises:
        UsageError: The model makes no images, or images of any size.
    """
    tensor = image_tensor(metadata)
    if tensor.any_size:
        raise UsageError(f"{metadata.name} makes images of any size, which no array can hold; use images or a folder")
    return tensor.shape


def largest_size(metadata: ModelMetadata, request: Request) -> tuple[int, int]:
    """Return the height and width of the largest output image of a request."""
    tensor = image_tensor(metadata)
    if not tensor.like:
        _, height, width = tensor.shape
        return height, width
    sources = [source for row in request.inputs if isinstance(source := row[tensor.like], ImageInput)]
    height, width = (max(source.size[side] for source in sources) * tensor.scale for side in (1, 0))
    return height, width * len(metadata.image_outputs)
