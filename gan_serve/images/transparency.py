"""The transparency of an image that goes in, on what comes out."""

import numpy as np
from PIL import Image as PILImage

from gan_serve.images.pixels import Pixels

_ROWS = 256  # that are computed in floats at a time: a photograph is large


def with_opacity(pixels: Pixels, opacity: Pixels) -> Pixels:
    """What was made on white paper (H, W, channels) -> the same with an opacity as its last channel.

    The opacity (h, w) is enlarged to the same size. On white it looks as it was made, and elsewhere it has no white
    edge: each colour is the one that, mixed with white, gives what was made.
    """
    height, width, channels = pixels.shape
    if opacity.shape != (height, width):
        opacity = np.asarray(PILImage.fromarray(opacity).resize((width, height), PILImage.Resampling.BICUBIC))
    made = np.empty((height, width, channels + 1), np.uint8)
    made[:, :, -1] = opacity
    for top in range(0, height, _ROWS):
        rows = np.s_[top : top + _ROWS]
        share = np.maximum(opacity[rows, :, None], 1) / np.float32(255)
        colours = 255 - (255 - pixels[rows].astype(np.float32)) / share
        made[rows, :, :-1] = np.rint(colours).clip(0, 255)
    return made


def on_white(pixels: Pixels) -> Pixels:
    """The same without its opacity, if it has one, as it looks on white paper."""
    if pixels.ndim < 3 or pixels.shape[2] not in (2, 4):
        return pixels
    share = pixels[:, :, -1:].astype(np.float32) / 255
    flat: Pixels = np.rint(255 - (255 - pixels[:, :, :-1].astype(np.float32)) * share).astype(np.uint8)
    return flat
