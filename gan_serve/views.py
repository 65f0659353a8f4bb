"""How a network sees the pictures of one item, and how its answer becomes as large as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from gan_serve.errors import UsageError
from gan_serve.pictures import Box, Frame, Given, fit, flatten, frame
from gan_serve.pixels import Picture, Pixels, from_pixels, to_picture, to_pixels
from gan_serve.request import Inputs
from gan_serve.sources import Reference
from gan_serve.tensors import Image, InputTensor, Mask

Hole = NDArray[np.bool_]  # (height, width): what is to be filled in of the part of a picture that is seen


@dataclass(frozen=True, eq=False)
class View:
    """What a network sees of a picture."""

    size: tuple[int, int]  # width and height of the whole picture
    frame: Frame
    original: Pixels  # (height, width, channels): the part that is seen, as it was
    array: NDArray[np.float32]  # (channels, height, width): that part as the network takes it

    def restored(self, made: NDArray[np.float32], tensor: Image) -> Pixels:
        """An answer (channels, height, width) in the size of the part that is seen, times the tensor's scale."""
        pixels = to_pixels(made[None], tensor)[0]
        inner = _scaled(self.frame.inner, made.shape[2] / self.array.shape[2], made.shape[1] / self.array.shape[1])
        height, width = (side * tensor.scale for side in self.original.shape[:2])
        resized = to_picture(pixels, 1).resize((width, height), Pictures.Resampling.LANCZOS, box=inner)
        return np.asarray(resized).reshape(height, width, -1)


@dataclass(frozen=True, eq=False)
class Scene:
    """The pictures of one item: how the network sees each, and what of the first one is to be filled in."""

    views: dict[str, View]
    holes: dict[str, Hole]

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What the network takes, each (1, channels, height, width)."""
        arrays = {name: view.array[None] for name, view in self.views.items()}
        return arrays | {name: _hole_array(hole, self._first)[None] for name, hole in self.holes.items()}

    def with_kept(self, pixels: Pixels) -> Pixels:
        """The answer with the first picture's own pixels around the hole, where both have the same shape."""
        original = self._first.original
        if not self.holes or pixels.shape != original.shape:
            return pixels
        hole = np.any(list(self.holes.values()), axis=0)
        kept: Pixels = np.where(hole[:, :, None], pixels, original)
        return kept

    @property
    def _first(self) -> View:
        return next(iter(self.views.values()))


def open_scene(tensors: Sequence[InputTensor], inputs: Inputs) -> Scene:
    """Read the pictures of one item.

    Raises:
        Failure: one cannot be read.
    """
    given = {tensor: _read(inputs[tensor.name]) for tensor in tensors if isinstance(tensor, Image | Mask)}
    views: dict[str, View] = {}
    for tensor, picture in given.items():
        if isinstance(tensor, Image):
            size = next(iter(views.values())).size if views and tensor.any_size else None
            views[tensor.name] = _view(_stretched(picture, size, tensor) if size else picture, tensor)
    first = next(iter(views.values()))
    holes = {tensor.name: _hole(picture, first) for tensor, picture in given.items() if isinstance(tensor, Mask)}
    return Scene(views, holes)


def _read(value: object) -> Given:
    assert isinstance(value, Reference)  # what a request holds for an image or a mask
    return value.read()


def _stretched(given: Given, size: tuple[int, int], tensor: Image) -> Given:
    """Pictures that are seen together are as large as the first of them."""
    if not isinstance(given, np.ndarray):
        return given.resize(size, Pictures.Resampling.LANCZOS)
    if given.shape[:0:-1] != size:
        raise UsageError(f"{tensor.name} is an array of {given.shape}; make it as large as the first image")
    return given


def _view(given: Given, tensor: Image) -> View:
    if isinstance(given, np.ndarray):
        size = (given.shape[2], given.shape[1])
        return View(size, _whole(size), to_pixels(given[None], tensor)[0], given)
    if tensor.any_size:
        original = flatten(given, tensor.channels)
        return View(given.size, _whole(given.size), original, from_pixels(original, tensor))
    channels, height, width = tensor.shape
    fitted = from_pixels(fit(given, width, height, channels, tensor.fit), tensor)
    seen = frame(given.size, width, height, tensor.fit)
    return View(given.size, seen, flatten(given.crop(seen.seen), channels), fitted)


def _whole(size: tuple[int, int]) -> Frame:
    return Frame((0, 0, *size), (0, 0, *size))


def _hole(given: Given, view: View) -> Hole:
    """A mask stretched over the picture, as much of it as is seen."""
    mask = _black_and_white(given)
    box = _scaled(view.frame.seen, mask.width / view.size[0], mask.height / view.size[1])
    height, width, _ = view.original.shape
    return np.asarray(mask.resize((width, height), Pictures.Resampling.NEAREST, box=box)) > 0


def _scaled(box: Box, across: float, down: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return (left * across, top * down, right * across, bottom * down)


def _black_and_white(given: Given) -> Picture:
    """White where to fill in: what is transparent, or in a picture without transparent parts what is bright."""
    if isinstance(given, np.ndarray):
        return Pictures.fromarray((given[0] >= 0.5).astype(np.uint8) * 255)
    opacity = given.getchannel("A")
    if np.asarray(opacity).min() < 255:
        return opacity.point(lambda level: 255 * (level < 128))
    return given.convert("L").point(lambda level: 255 * (level >= 128))


def _hole_array(hole: Hole, view: View) -> NDArray[np.float32]:
    """(1, height, width): 1 in every pixel of the network's input that the hole reaches, else 0."""
    left, top, right, bottom = view.frame.inner
    picture = Pictures.fromarray(hole.astype(np.uint8) * 255)
    inner = np.asarray(picture.resize((right - left, bottom - top), Pictures.Resampling.BOX)) > 0
    _, height, width = view.array.shape
    return np.pad(inner, ((top, height - bottom), (left, width - right)), "edge")[None].astype(np.float32)
