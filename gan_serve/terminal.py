"""Pictures in a terminal: two pixels to a character, the upper one in front, the lower one behind."""

import shutil

import numpy as np

from gan_serve.pixels import Picture, Pixels
from gan_serve.result import Result, grid_columns


def draw(result: Result) -> str:
    """The images of a result as text, as many side by side as fit."""
    width = shutil.get_terminal_size().columns
    pictures = [_fit(picture, width) for picture in result.images()]
    columns = max(1, min(width // pictures[0].width, grid_columns(result.request)))
    rows = [pictures[at : at + columns] for at in range(0, len(pictures), columns)]
    return "\n".join(_line(upper, lower) for row in rows for upper, lower in _pairs(row))


def _fit(picture: Picture, width: int) -> Picture:
    picture = picture.convert("RGB")
    picture.thumbnail((width, picture.height))
    return picture


def _pairs(row: list[Picture]) -> list[tuple[Pixels, Pixels]]:
    pixels = np.hstack([np.asarray(picture) for picture in row])
    odd = pixels.shape[0] % 2
    pixels = np.pad(pixels, ((0, odd), (0, 0), (0, 0)))
    return list(zip(pixels[::2], pixels[1::2], strict=True))


def _line(upper: Pixels, lower: Pixels) -> str:
    cells = [_cell(*top, *bottom) for top, bottom in zip(upper.tolist(), lower.tolist(), strict=True)]
    return "".join(cells) + "\x1b[0m"


def _cell(red: int, green: int, blue: int, red_below: int, green_below: int, blue_below: int) -> str:
    return f"\x1b[38;2;{red};{green};{blue};48;2;{red_below};{green_below};{blue_below}m▀"
