"""Show images in a terminal: each character is two pixels, one above the other."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from rich.console import Console
from rich.text import Text

from gan_serve.images.pixels import PilImage
from gan_serve.images.preprocess import flatten
from gan_serve.result import Result, grid_columns

_SHADES = " .:-=+*#%@"  # dark to bright, for files and terminals without colours


def draw(result: Result, console: Console) -> None:
    """Print the images of a result side by side, in the console's colours."""
    images = [_fit(image, console.width) for image in result.images()]
    columns = max(1, min(console.width // images[0].width, grid_columns(result.request)))
    line = _shaded if console.color_system in (None, "standard") else _coloured
    for at in range(0, len(images), columns):
        for pair in _pairs_of_lines(images[at : at + columns]):
            console.print(line(pair), soft_wrap=True)


def _fit(image: PilImage, width: int) -> PilImage:
    image = PILImage.fromarray(flatten(image.convert("RGBA"), 3))
    image.thumbnail((width, image.height))
    return image


def _pairs_of_lines(row: list[PilImage]) -> NDArray[np.uint8]:
    """Return (pairs, 2, width, 3): the upper and the lower pixels of each line of text."""
    pixels = np.hstack([np.asarray(image) for image in row])
    height, width, _ = pixels.shape
    return np.pad(pixels, ((0, height % 2), (0, 0), (0, 0))).reshape(-1, 2, width, 3)


def _coloured(pair: NDArray[np.uint8]) -> Text:
    """Return a line of half blocks: the foreground is the upper pixel, the background the lower one."""
    text = Text()
    for above, below in zip(*pair.tolist(), strict=True):
        text.append("▀", style=f"rgb({','.join(map(str, above))}) on rgb({','.join(map(str, below))})")
    return text


def _shaded(pair: NDArray[np.uint8]) -> Text:
    levels = (pair.mean(axis=(0, 2)) * len(_SHADES) / 256).astype(int)
    return Text("".join(_SHADES[level] for level in levels))
