"""Arrays in a model's range <-> pixels, and pixels -> pictures."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from gan_serve.errors import UsageError
from gan_serve.tensors import Image

Picture = Pictures.Image
Pixels = NDArray[np.uint8]

MOST_PIXELS = 64 * 2**20  # of one picture, read or written


def to_pixels(array: NDArray[Any], tensor: Image) -> Pixels:
    """(N, channels, height, width) in the model's range -> (N, height, width, channels) in 0..255."""
    levels = (array - tensor.low) * (255 / (tensor.high - tensor.low))
    return np.rint(levels).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def from_pixels(pixels: Pixels, tensor: Image) -> NDArray[np.float32]:
    """(height, width, channels) in 0..255 -> (channels, height, width) in the model's range."""
    shares = pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    return shares * np.float32(tensor.high - tensor.low) + np.float32(tensor.low)


def to_picture(pixels: Pixels, scale: int) -> Picture:
    """(height, width, channels) -> a picture whose pixels are squares of `scale`."""
    enlarged = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    return Pictures.fromarray(enlarged[:, :, 0] if enlarged.shape[2] == 1 else enlarged)


def tile(pixels: Pixels, columns: int) -> Pixels:
    """Images side by side, row after row; what is left of the last row stays black."""
    count, height, width, channels = pixels.shape
    rows = math.ceil(count / columns)
    cells = np.zeros((rows * columns, height, width, channels), np.uint8)
    cells[:count] = pixels
    grid = cells.reshape(rows, columns, height, width, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)


def square_columns(count: int) -> int:
    """Columns of the grid nearest to a square that leaves no cell empty, if there is one not too wide."""
    root = math.isqrt(count - 1) + 1
    return next((columns for columns in range(root, 2 * root) if count % columns == 0), root)


def check_size(tensor: Image, count: int, columns: int, scale: int) -> None:
    """Refuse a picture that no viewer would open, before it is computed.

    Raises:
        UsageError: too many pixels, or too long a side.
    """
    if scale < 1:
        raise UsageError(f"scale {scale} is not a positive integer")
    height = math.ceil(count / columns) * tensor.height * scale
    width = columns * tensor.width * scale
    if height * width > MOST_PIXELS or max(height, width) > 16383:  # WebP's longest side
        raise UsageError(
            f"a picture of {width}x{height} pixels is too large (16383 a side, {MOST_PIXELS // 2**20} megapixels); "
            "ask for fewer images or a smaller scale"
        )
