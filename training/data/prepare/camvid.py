"""CamVid's street photos of 128x128 pixels, each with a label map painted in CamVid's colours."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_serve.errors import Failure
from training.data.palettes import CAMVID
from training.data.prepare.arrays import Arrays, find_folder, images_in

SIZE = 128
PARTS = {"train": ("train", "val"), "test": ("test",)}


def streets(source: Path, _seed: int) -> Arrays:
    """Return photos in `images` and their label maps in `map_images`: the left and the right square of each image.

    Raises:
        UsageError: the folder has no such images.
        Failure: one of them is not readable, or is no label map.
    """
    folder = find_folder(source, "trainannot").parent
    arrays: Arrays = {}
    for part, folders in PARTS.items():
        photos = [path for name in folders for path in images_in(folder / name, "jpg")]
        maps = [photo.parent.with_name(f"{photo.parent.name}annot") / f"{photo.stem}.png" for photo in photos]
        arrays[f"{part}_images"] = np.concatenate([_squares(_opened(path).convert("RGB")) for path in photos])
        indices = np.concatenate([_squares(_opened(path), Image.Resampling.NEAREST) for path in maps])
        arrays[f"{part}_map_images"] = _painted(indices, maps[0])
    return arrays


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, SyntaxError) as error:  # Pillow calls a damaged PNG file a syntax error
        raise Failure(f"{path} is not a readable image ({error})") from None


def _squares(image: Image.Image, how: Image.Resampling = Image.Resampling.LANCZOS) -> NDArray[np.uint8]:
    """Return the left and the right square of a landscape image, resized: (2, SIZE, SIZE[, 3])."""
    width, height = image.size
    boxes = [(left, 0, left + height, height) for left in (0, width - height)]
    return np.stack([np.asarray(image.resize((SIZE, SIZE), how, box=box)) for box in boxes])


def _painted(indices: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    """Class indices (N, H, W) -> their colours (N, H, W, 3)."""
    colours = np.array(list(CAMVID.colours.values()), np.uint8)
    if indices.ndim != 3 or indices.max() >= len(colours):
        raise Failure(f"{path.parent}: a label map must have one number below {len(colours)} for each pixel")
    return colours[indices]
