"""Convert pixels to arrays in a model's range and to images, and arrange them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from gan_serve.errors import UsageError
from gan_serve.images.limits import MAX_SIDE
from gan_serve.seeds import checked_integer
from gan_serve.tensors import Image, Mask

PilImage = PILImage.Image
Pixels = NDArray[np.uint8]

MAX_PIXELS = 64 * 2**20  # of an input image, or of all frames of an animation


def from_pixels(pixels: Pixels, tensor: Image | Mask) -> NDArray[np.float32]:
    """Convert (height, width, channels) in 0..255 to (channels, height, width) in the model's range."""
    values = pixels.transpose(2, 0, 1).astype(np.float32, order="C")  # in place from here, to save memory
    values /= np.float32(255)
    values *= np.float32(tensor.high - tensor.low)
    values += np.float32(tensor.low)
    return values


def to_image(pixels: Pixels, scale: int) -> PilImage:
    """Convert (height, width, channels) to an image enlarged by `scale`. Channel 2 or 4 is opacity.

    Raises:
        UsageError: It would be too large.
    """
    height, width, _ = pixels.shape
    enlarged = pixels
    if scale != 1:
        check_size(height, width, 1, 1, scale)
        enlarged = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    return PILImage.fromarray(enlarged[:, :, 0] if enlarged.shape[2] == 1 else enlarged)


def tile(pixels: Sequence[Pixels] | Pixels, columns: int) -> Pixels:
    """Arrange images in a grid, row by row. Empty space is black."""
    rows = math.ceil(len(pixels) / columns)
    cells = make_cells(pixels, rows * columns)
    _, height, width, channels = cells.shape
    grid = cells.reshape(rows, columns, height, width, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)


def make_cells(pixels: Sequence[Pixels] | Pixels, count: int) -> Pixels:
    """Return `count` cells (count, height, width, channels) of the largest image's size. Empty space is black.

    If any image has an opacity, all cells have one, and empty space is transparent.
    """
    channels = {image.shape[2] for image in pixels}
    if len(channels) > 1:
        pixels = [_opaque(image) if image.shape[2] < max(channels) else image for image in pixels]
    cells = np.zeros((count, *np.max([image.shape for image in pixels], axis=0)), np.uint8)
    for cell, image in zip(cells, pixels, strict=False):
        cell[: image.shape[0], : image.shape[1]] = image
    return cells


def _opaque(pixels: Pixels) -> Pixels:
    return np.insert(pixels, pixels.shape[2], 255, axis=2)


def square_columns(count: int) -> int:
    """Return the columns of the squarest grid without empty cells, or of a square if that grid would be too wide."""
    root = math.isqrt(count - 1) + 1
    widest = min(2 * root, MAX_SIDE + 1)
    return next((columns for columns in range(root, widest) if count % columns == 0), root)


def checked_scale(scale: object) -> int:
    """Return the factor by which pixels are enlarged.

    Raises:
        UsageError: It is not a positive integer, or exceeds the largest side of an image.
    """
    return checked_integer("scale", scale, 1, MAX_SIDE)


def check_size(height: int, width: int, count: int, columns: int, scale: int) -> None:
    """Reject a grid or an enlarged image that would be too large, before it is computed.

    Raises:
        UsageError: A side is too long.
    """
    scale = checked_scale(scale)
    height, width = math.ceil(count / columns) * height * scale, columns * width * scale
    if max(height, width) > MAX_SIDE:
        raise UsageError(
            f"an image of {width}x{height} pixels is too large (at most {MAX_SIDE} a side); "
            "ask for fewer images or a smaller scale"
        )


def check_length(height: int, width: int, count: int, scale: int) -> None:
    """Reject an animation with too many pixels, before it is computed.

    Raises:
        UsageError: It has too many pixels.
    """
    if count * height * width * checked_scale(scale) ** 2 > MAX_PIXELS:
        raise UsageError(
            f"an animation of {count} images of {width * scale}x{height * scale} pixels is too long (at most "
            f"{MAX_PIXELS // 2**20} megapixels in all); ask for fewer images or a smaller scale"
        )
