"""Pictures in a terminal: two pixels to a character, one above the other."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from rich.console import Console
from rich.text import Text

from gan_serve.images.pixels import Picture
from gan_serve.images.preprocess import flatten
from gan_serve.result import Result, grid_columns

_SHADES = " .:-=+*#%@"  # dark to bright, for terminals without colours and for files


def draw(result: Result, console: Console) -> None:
    """Print the images of a result, as many side by side as fit, in what colours the console has."""
    pictures = [_fit(picture, console.width) for picture in result.images()]
    columns = max(1, min(console.width // pictures[0].width, grid_columns(result.request)))
    line = _shaded if console.color_system in (None, "standard") else _coloured
    for at in range(0, len(pictures), columns):
        for pair in _pairs_of_lines(pictures[at : at + columns]):
            console.print(line(pair), soft_wrap=True)


def _fit(picture: Picture, width: int) -> Picture:
    picture = Pictures.fromarray(flatten(picture.convert("RGBA"), 3))
    picture.thumbnail((width, picture.height))
    return picture


def _pairs_of_lines(row: list[Picture]) -> NDArray[np.uint8]:
    """(pairs, 2, width, 3): an upper and a lower line of pixels for each line of text."""
    pixels = np.hstack([np.asarray(picture) for picture in row])
    height, width, _ = pixels.shape
    return np.pad(pixels, ((0, height % 2), (0, 0), (0, 0))).reshape(-1, 2, width, 3)


def _coloured(pair: NDArray[np.uint8]) -> Text:
    """A half block's foreground is the upper pixel, its background the lower one."""
    text = Text()
    for above, below in zip(*pair.tolist(), strict=True):
        text.append("▀", style=f"rgb({','.join(map(str, above))}) on rgb({','.join(map(str, below))})")
    return text


def _shaded(pair: NDArray[np.uint8]) -> Text:
    levels = (pair.mean(axis=(0, 2)) * len(_SHADES) / 256).astype(int)
    return Text("".join(_SHADES[level] for level in levels))
