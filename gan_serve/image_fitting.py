"""Fit the images of one item to a network's input, and fit its output back to their size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from gan_serve.errors import UsageError
from gan_serve.image_inputs import ImageRef
from gan_serve.images.pixels import PilImage, Pixels, to_image
from gan_serve.images.preprocess import Box, CropBox, ImageData, crop_box, flatten, size_of, to_model
from gan_serve.images.transparency import with_opacity
from gan_serve.request import Inputs
from gan_serve.tensors import Image, InputTensor, Mask

HoleMask = NDArray[np.bool_]  # (height, width) of an image's visible part: True where the network fills in


@dataclass(frozen=True, eq=False)
class View:
    """The part of an image that the network sees."""

    image: ImageData
    tensor: Image
    crop: CropBox
    array: NDArray[np.float32]  # (channels, height, width): the network's input

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the visible part, in pixels of the original image."""
        left, top, right, bottom = self.crop.seen
        return bottom - top, right - left

    @property
    def original(self) -> Pixels:
        """The visible part at its original size, (height, width, channels)."""
        if isinstance(self.image, np.ndarray):
            pixels: Pixels = self.tensor.to_pixels(self.image[None])[0]
            return pixels
        return flatten(self.image.crop(self.crop.seen), self.tensor.channels)

    @property
    def opacity(self) -> Pixels | None:
        """The visible part's alpha channel, (height, width); None if it is opaque or a sketch."""
        if isinstance(self.image, np.ndarray) or self.image.mode != "RGBA" or self.tensor.sketch:
            return None
        opacity = np.asarray(self.image.getchannel("A").crop(self.crop.seen))
        return opacity if (opacity < 255).any() else None

    def restored(self, output: NDArray[np.float32], tensor: Image) -> Pixels:
        """Resize an output (channels, height, width) to the visible part's size, times the tensor's scale."""
        pixels = tensor.to_pixels(output[None])[0]
        inner = _scaled(self.crop.inner, output.shape[2] / self.array.shape[2], output.shape[1] / self.array.shape[1])
        height, width = (side * tensor.scale for side in self.size)
        resized = to_image(pixels, 1).resize((width, height), PILImage.Resampling.LANCZOS, box=inner)
        return np.asarray(resized).reshape(height, width, -1)


@dataclass(frozen=True, eq=False)
class FittedInputs:
    """The images of one item as the network sees them, and the holes of the first image, by mask name."""

    views: dict[str, View]
    holes: dict[str, HoleMask]

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The network's input arrays, each (1, channels, height, width)."""
        arrays = {name: view.array[None] for name, view in self.views.items()}
        return arrays | {name: _hole_array(hole, self.first)[None] for name, hole in self.holes.items()}

    def finished(self, pixels: Pixels, tensor: Image) -> Pixels:
        """Return the output with the first image's own pixels around the hole, if both have the same shape.

        It gets the opacity of the image that it is like as its last channel, except where a hole was filled in.
        """
        first, hole = self.first, self.hole
        if hole is not None and pixels.shape == (*first.size, first.tensor.channels):
            pixels = np.where(hole[:, :, None], pixels, first.original)
        opacity = self.views[tensor.like or first.tensor.name].opacity
        if opacity is None:
            return pixels
        if hole is not None and opacity.shape == hole.shape:
            opacity = np.where(hole, np.uint8(255), opacity)
        return pixels if (opacity == 255).all() else with_opacity(pixels, opacity)

    @property
    def hole(self) -> HoleMask | None:
        """The union of all holes."""
        hole: HoleMask | None = np.any(list(self.holes.values()), axis=0) if self.holes else None
        return hole

    @property
    def first(self) -> View:
        """The first image: masks apply to it, and images of any size are resized to it."""
        return next(iter(self.views.values()))


def fit_inputs(tensors: Sequence[InputTensor], inputs: Inputs) -> FittedInputs:
    """Read and fit the images of one item.

    Raises:
        Failure: An image cannot be read.
    """
    images = {tensor: _read(inputs[tensor.name]) for tensor in tensors if isinstance(tensor, Image | Mask)}
    views: dict[str, View] = {}
    for tensor, image in images.items():
        if isinstance(tensor, Image):
            views[tensor.name] = _view(_resized(image, tensor, views), tensor)
    first = next(iter(views.values()))
    holes = {tensor.name: _hole(image, first) for tensor, image in images.items() if isinstance(tensor, Mask)}
    return FittedInputs(views, holes)


def _read(value: object) -> ImageData:
    assert isinstance(value, ImageRef)  # requests hold nothing else for an image or a mask
    return value.read()


def _resized(image: ImageData, tensor: Image, before: Mapping[str, View]) -> ImageData:
    """Resize an image of any size to the first image."""
    if not tensor.any_size or not before:
        return image
    height, width = next(iter(before.values())).size
    if not isinstance(image, np.ndarray):
        return image.resize((width, height), PILImage.Resampling.LANCZOS)
    if image.shape[1:] != (height, width):
        raise UsageError(f"{tensor.name} is an array of {image.shape}; make it as large as the first image")
    return image


def _view(image: ImageData, tensor: Image) -> View:
    size = size_of(image)
    if isinstance(image, np.ndarray) or tensor.any_size:
        return View(image, tensor, CropBox((0, 0, *size), (0, 0, *size)), to_model(image, tensor))
    _, height, width = tensor.shape
    return View(image, tensor, crop_box(size, width, height, tensor.fit), to_model(image, tensor))


def _hole(image: ImageData, view: View) -> HoleMask:
    """Stretch a mask over the whole image, and return the part over the visible part."""
    mask = _black_and_white(image)
    across, down = size_of(view.image)
    box = _scaled(view.crop.seen, mask.width / across, mask.height / down)
    height, width = view.size
    return np.asarray(mask.resize((width, height), PILImage.Resampling.NEAREST, box=box)) > 0


def _scaled(box: Box, across: float, down: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return (left * across, top * down, right * across, bottom * down)


def _black_and_white(mask: ImageData) -> PilImage:
    """Return the mask as white on black: white is the transparent part, or in an opaque image the bright part."""
    if isinstance(mask, np.ndarray):
        return PILImage.fromarray((mask[0] >= 0.5).astype(np.uint8) * 255)
    if mask.mode == "RGBA" and (opacity := mask.getchannel("A")).getextrema() != (255, 255):
        return opacity.point(lambda level: 255 * (level < 128))
    return mask.convert("L").point(lambda level: 255 * (level >= 128))


def _hole_array(hole: HoleMask, view: View) -> NDArray[np.float32]:
    """Return (1, height, width): 1 in every pixel of the network's input that the hole touches, otherwise 0."""
    left, top, right, bottom = view.crop.inner
    image = PILImage.fromarray(hole.astype(np.uint8) * 255)
    inner = np.asarray(image.resize((right - left, bottom - top), PILImage.Resampling.BOX)) > 0
    _, height, width = view.array.shape
    return np.pad(inner, ((top, height - bottom), (left, width - right)), "edge")[None].astype(np.float32)
