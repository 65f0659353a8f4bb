"""What every prepared data set has in common: where its files are looked for, how it is split, how it is written."""

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

Arrays = dict[str, NDArray[Any]]  # what an .npz file holds, by name

TEST_SHARE = 6  # one image in six is for the test


def find_folder(source: Path, name: str) -> Path:
    """The folder `name`, which may be of several parts, wherever it is in `source`.

    Raises:
        UsageError: it is nowhere there.
    """
    found = sorted(path for path in source.rglob(name) if path.is_dir()) if source.is_dir() else []
    if not found:
        raise UsageError(f"{source} holds no folder {name}; give the folder that the artwork was unpacked to")
    return found[0]


def images_in(folder: Path, kind: str) -> list[Path]:
    """The image files of a folder, in the order of their names.

    Raises:
        UsageError: there are none.
    """
    files = sorted(folder.glob(f"*.{kind}"))
    if not files:
        raise UsageError(f"{folder} holds no .{kind} files")
    return files


def rgb(file: Path, size: int) -> Pixels:
    """An image as a square (size, size, 3); what is transparent becomes white.

    Raises:
        Failure: it is not readable.
    """
    return fit(read_image(file, str(file)), size, size, 3)


def held_out(groups: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Which images are for the test: whole groups, together a sixth of the images or a few more."""
    names, members, sizes = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = order[before * TEST_SHARE < len(groups)]
    return np.isin(members, chosen)


def split(columns: Arrays, test: NDArray[np.bool_], seed: int) -> Arrays:
    """The columns as `train_` and `test_` arrays, the rows of each shuffled alike."""
    order = np.random.default_rng(seed).permutation(len(test))
    parts = {"train": order[~test[order]], "test": order[test[order]]}
    return {f"{part}_{name}": column[rows] for part, rows in parts.items() for name, column in columns.items()}


def unseen(arrays: Arrays) -> Arrays:
    """The arrays without the rows of the test part of which any view is, pixel for pixel, in the training part, too.

    Different things can look the same: trousers under a dress, a body behind what it wears.
    """
    views = [name.removeprefix("test_") for name in arrays if name.startswith("test_") and name.endswith("images")]
    seen = np.any([_among(arrays[f"test_{view}"], arrays[f"train_{view}"]) for view in views], axis=0)
    return {name: array[~seen] if name.startswith("test_") else array for name, array in arrays.items()}


def _among(images: Pixels, others: Pixels) -> NDArray[np.bool_]:
    """Which images (N, H, W, C) are also among the others."""
    known = {other.tobytes() for other in others}
    return np.array([image.tobytes() in known for image in images])


def write(arrays: Arrays, target: Path) -> None:
    """Write them as one `.npz` file, or nothing."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_atomic(target, content.getvalue())
