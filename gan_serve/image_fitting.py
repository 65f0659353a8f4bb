"""How a network sees the images of one item, and how its answer becomes as large as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from gan_serve.errors import UsageError
from gan_serve.image_inputs import ImageRef
from gan_serve.images.pixels import PilImage, Pixels, to_image, to_pixels
from gan_serve.images.preprocess import Box, CropBox, ImageData, flatten, frame, size_of, to_model
from gan_serve.images.transparency import with_opacity
from gan_serve.request import Inputs
from gan_serve.tensors import Image, InputTensor, Mask

HoleMask = NDArray[np.bool_]  # (height, width): what is to be filled in of the part of an image that is seen


@dataclass(frozen=True, eq=False)
class View:
    """What a network sees of an image."""

    given: ImageData
    tensor: Image
    frame: CropBox
    array: NDArray[np.float32]  # (channels, height, width): what is seen, as the network takes it

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the part that is seen, in the image itself."""
        left, top, right, bottom = self.frame.seen
        return bottom - top, right - left

    @property
    def original(self) -> Pixels:
        """That part itself, (height, width, channels)."""
        if isinstance(self.given, np.ndarray):
            pixels: Pixels = to_pixels(self.given[None], self.tensor)[0]
            return pixels
        return flatten(self.given.crop(self.frame.seen), self.tensor.channels)

    @property
    def opacity(self) -> Pixels | None:
        """Of that part, (height, width); None where all of it is opaque, or is lines that somebody drew."""
        if isinstance(self.given, np.ndarray) or self.given.mode != "RGBA" or self.tensor.sketch:
            return None
        opacity = np.asarray(self.given.getchannel("A").crop(self.frame.seen))
        return opacity if (opacity < 255).any() else None

    def restored(self, made: NDArray[np.float32], tensor: Image) -> Pixels:
        """An answer (channels, height, width) in the size of the part that is seen, times the tensor's scale."""
        pixels = to_pixels(made[None], tensor)[0]
        inner = _scaled(self.frame.inner, made.shape[2] / self.array.shape[2], made.shape[1] / self.array.shape[1])
        height, width = (side * tensor.scale for side in self.size)
        resized = to_image(pixels, 1).resize((width, height), PILImage.Resampling.LANCZOS, box=inner)
        return np.asarray(resized).reshape(height, width, -1)


@dataclass(frozen=True, eq=False)
class FittedInputs:
    """The images of one item: how the network sees each, and what of the first one is to be filled in."""

    views: dict[str, View]
    holes: dict[str, HoleMask]

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What the network takes, each (1, channels, height, width)."""
        arrays = {name: view.array[None] for name, view in self.views.items()}
        return arrays | {name: _hole_array(hole, self.first)[None] for name, hole in self.holes.items()}

    def finished(self, pixels: Pixels, tensor: Image) -> Pixels:
        """The answer with the first image's own pixels around the hole, where both have the same shape.

        Where the image that it is like is transparent and nothing was filled in, its last channel is an opacity.
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
        """All that is to be filled in."""
        hole: HoleMask | None = np.any(list(self.holes.values()), axis=0) if self.holes else None
        return hole

    @property
    def first(self) -> View:
        """The image that masks lie over, and whose size the others have where they have any."""
        return next(iter(self.views.values()))


def fit_inputs(tensors: Sequence[InputTensor], inputs: Inputs) -> FittedInputs:
    """Read the images of one item.

    Raises:
        Failure: one cannot be read.
    """
    given = {tensor: _read(inputs[tensor.name]) for tensor in tensors if isinstance(tensor, Image | Mask)}
    views: dict[str, View] = {}
    for tensor, image in given.items():
        if isinstance(tensor, Image):
            views[tensor.name] = _view(_stretched(image, tensor, views), tensor)
    first = next(iter(views.values()))
    holes = {tensor.name: _hole(image, first) for tensor, image in given.items() if isinstance(tensor, Mask)}
    return FittedInputs(views, holes)


def _read(value: object) -> ImageData:
    assert isinstance(value, ImageRef)  # what a request holds for an image or a mask
    return value.read()


def _stretched(given: ImageData, tensor: Image, before: Mapping[str, View]) -> ImageData:
    """Images of any size that are seen together are as large as the first of them."""
    if not tensor.any_size or not before:
        return given
    height, width = next(iter(before.values())).size
    if not isinstance(given, np.ndarray):
        return given.resize((width, height), PILImage.Resampling.LANCZOS)
    if given.shape[1:] != (height, width):
        raise UsageError(f"{tensor.name} is an array of {given.shape}; make it as large as the first image")
    return given


def _view(given: ImageData, tensor: Image) -> View:
    size = size_of(given)
    if isinstance(given, np.ndarray) or tensor.any_size:
        return View(given, tensor, CropBox((0, 0, *size), (0, 0, *size)), to_model(given, tensor))
    _, height, width = tensor.shape
    return View(given, tensor, frame(size, width, height, tensor.fit), to_model(given, tensor))


def _hole(given: ImageData, view: View) -> HoleMask:
    """A mask stretched over the image, as much of it as is seen."""
    mask = _black_and_white(given)
    across, down = size_of(view.given)
    box = _scaled(view.frame.seen, mask.width / across, mask.height / down)
    height, width = view.size
    return np.asarray(mask.resize((width, height), PILImage.Resampling.NEAREST, box=box)) > 0


def _scaled(box: Box, across: float, down: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return (left * across, top * down, right * across, bottom * down)


def _black_and_white(given: ImageData) -> PilImage:
    """White where to fill in: what is transparent, or in an image without transparent parts what is bright."""
    if isinstance(given, np.ndarray):
        return PILImage.fromarray((given[0] >= 0.5).astype(np.uint8) * 255)
    if given.mode == "RGBA" and (opacity := given.getchannel("A")).getextrema() != (255, 255):
        return opacity.point(lambda level: 255 * (level < 128))
    return given.convert("L").point(lambda level: 255 * (level >= 128))


def _hole_array(hole: HoleMask, view: View) -> NDArray[np.float32]:
    """(1, height, width): 1 in every pixel of the network's input that the hole reaches, else 0."""
    left, top, right, bottom = view.frame.inner
    image = PILImage.fromarray(hole.astype(np.uint8) * 255)
    inner = np.asarray(image.resize((right - left, bottom - top), PILImage.Resampling.BOX)) > 0
    _, height, width = view.array.shape
    return np.pad(inner, ((top, height - bottom), (left, width - right)), "edge")[None].astype(np.float32)
