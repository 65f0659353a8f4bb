"""Transfer the transparency of an input image to the output."""

import numpy as np
from PIL import Image as PILImage

from gan_serve.images.pixels import Pixels

_ROWS = 256  # rows computed in floats at a time, to save memory


def with_opacity(pixels: Pixels, opacity: Pixels) -> Pixels:
    """Add an opacity as the last channel of an image (H, W, channels) that was made on white.

    The opacity (h, w) is resized to the image. Colours are un-mixed from white: on white the image looks the same, and
    on other backgrounds it has no white edges.
    """
    height, width, channels = pixels.shape
    if opacity.shape != (height, width):
        opacity = np.asarray(PILImage.fromarray(opacity).resize((width, height), PILImage.Resampling.BICUBIC))
    result = np.empty((height, width, channels + 1), np.uint8)
    result[:, :, -1] = opacity
    for top in range(0, height, _ROWS):
        rows = np.s_[top : top + _ROWS]
        share = np.maximum(opacity[rows, :, None], 1) / np.float32(255)
        colours = 255 - (255 - pixels[rows].astype(np.float32)) / share
        result[rows, :, :-1] = np.rint(colours).clip(0, 255)
    return result


def on_white(pixels: Pixels) -> Pixels:
    """Put an image on white, which removes its opacity channel if it has one."""
    if pixels.ndim < 3 or pixels.shape[2] not in (2, 4):
        return pixels
    share = pixels[:, :, -1:].astype(np.float32) / 255
    flat: Pixels = np.rint(255 - (255 - pixels[:, :, :-1].astype(np.float32)) * share).astype(np.uint8)
    return flat
