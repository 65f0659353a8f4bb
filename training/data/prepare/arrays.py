"""What all prepared data sets share: finding files, splitting into training and test, and writing."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import UsageError
from gan_serve.images.encoding import write_atomic
from gan_serve.images.pixels import Pixels
from gan_serve.images.preprocess import fit, read_image

Arrays = dict[str, NDArray[Any]]  # the arrays of an .npz file, by name

TEST_SHARE = 6  # one image in six belongs to the test set


def find_folder(source: Path, name: str) -> Path:
    """Find the folder `name`, such as `images/train`, anywhere below `source`.

    Raises:
        UsageError: there is no such folder.
    """
    found = sorted(path for path in source.rglob(name) if path.is_dir()) if source.is_dir() else []
    if not found:
        raise UsageError(f"{source} contains no folder {name}; give the folder that the files were unpacked to")
    return found[0]


def images_in(folder: Path, kind: str) -> list[Path]:
    """List the image files of a folder by name.

    Raises:
        UsageError: there are none.
    """
    files = sorted(folder.glob(f"*.{kind}"))
    if not files:
        raise UsageError(f"{folder} contains no .{kind} files")
    return files


def rgb(file: Path, size: int) -> Pixels:
    """Read an image as a square (size, size, 3); transparent pixels become white.

    Raises:
        Failure: it is not readable.
    """
    return fit(read_image(file, str(file)), size, size, 3)


def held_out(groups: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Return a mask of the test images: whole groups, together a sixth of the images or slightly more."""
    names, members, sizes = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = order[before * TEST_SHARE < len(groups)]
    return np.isin(members, chosen)


def split(columns: Arrays, test: NDArray[np.bool_], seed: int) -> Arrays:
    """Divide columns into `train_` and `test_` arrays, all shuffled in the same order."""
    order = np.random.default_rng(seed).permutation(len(test))
    parts = {"train": order[~test[order]], "test": order[test[order]]}
    return {f"{part}_{name}": column[rows] for part, rows in parts.items() for name, column in columns.items()}


def unseen(arrays: Arrays, views: Sequence[str]) -> Arrays:
    """Remove the test rows that have any of the views in common, pixel for pixel, with the training part.

    Different characters can look the same: trousers under a dress, a body behind its clothes.
    """
    seen = np.any([_among(arrays[f"test_{view}"], arrays[f"train_{view}"]) for view in views], axis=0)
    return {name: array[~seen] if name.startswith("test_") else array for name, array in arrays.items()}


def _among(images: Pixels, others: Pixels) -> NDArray[np.bool_]:
    """Return whether each of the images (N, H, W, C) is also among the others."""
    known = {other.tobytes() for other in others}
    return np.array([image.tobytes() in known for image in images])


def write(arrays: Arrays, target: Path) -> None:
    """Write the arrays as one `.npz` file, atomically."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_atomic(target, content.getvalue())
