"""Photos for super-resolution: tiles of BSDS500's training photos, and whole photos of Set5 and B100 for scoring."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_serve.images.preprocess import read_image
from training.data.prepare.arrays import Arrays, find_folder, images_in

TILE = 160  # six tiles cover a photo of 481x321, except for one row and one column
SET5_WOMAN = "302003"  # a training photo that is also in Set5
SCORED = {"set5": ("CSet5", "png"), "b100": ("images/val", "jpg")}


def photos(source: Path, _seed: int) -> Arrays:
    """Return tiles of the training photos in `train_images`, of B100 in `test_images`; labels are the photos' numbers.

    The photos for scoring are the arrays `set5_NAME` and `b100_NAME`, each of its own size.

    Raises:
        UsageError: the folder has no such images.
        Failure: one of them is not readable.
    """
    train = images_in(find_folder(source, "images/train"), "jpg")
    scored = {name: images_in(find_folder(source, folder), kind) for name, (folder, kind) in SCORED.items()}
    parts = {"train": [path for path in train if path.stem != SET5_WOMAN], "test": scored["b100"]}
    arrays: Arrays = {"photo_sets": np.array(list(scored))}
    for part, paths in parts.items():
        tiles = [_tiles(_photo(path)) for path in paths]
        arrays[f"{part}_images"] = np.concatenate(tiles)
        arrays[f"{part}_labels"] = np.repeat(np.arange(len(paths)), [len(each) for each in tiles])
    return arrays | {f"{name}_{path.stem}": _photo(path) for name, paths in scored.items() for path in paths}


def _photo(path: Path) -> NDArray[np.uint8]:
    """Read a photo (H, W, 3)."""
    return np.asarray(read_image(path, str(path)).convert("RGB"))


def _tiles(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a photo into as many tiles as fit: (N, TILE, TILE, 3)."""
    down, across = photo.shape[0] // TILE, photo.shape[1] // TILE
    tiles = photo[: down * TILE, : across * TILE].reshape(down, TILE, across, TILE, 3)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(-1, TILE, TILE, 3)
