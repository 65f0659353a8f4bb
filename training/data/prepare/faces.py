"""CMU's face images: the same person and expression from the side and from the front, 64x64 pixels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gan_serve.errors import Failure, UsageError
from gan_serve.images.pixels import Pixels
from training.data.prepare.arrays import Arrays, split

FILE = "cmu_faces_60x64.npz"  # its labels are names such as emma_left_angry_sunglasses
SIZE = 64
EXPRESSIONS = ("neutral", "happy", "sad", "angry")
FRONT = "forward"
Name = tuple[str, ...]  # person, direction, expression, eyes


def fronts(source: Path, seed: int) -> Arrays:
    """Return people who look forward in `images`, and to the left or right in `side_images`; labels are the people.

    One expression of each person is in the test set alone, but all people are in the training set.

    Raises:
        UsageError: the folder has no such file.
        Failure: the file is not readable, or holds other images.
    """
    faces = _faces(source)
    sides = [name for name in faces if name[1] in ("left", "right") and _front(name) in faces]
    people, labels = np.unique([name[0] for name in sides], return_inverse=True)
    kept_back = np.random.default_rng(seed).integers(len(EXPRESSIONS), size=len(people))[labels]
    test = np.array([EXPRESSIONS[number] == name[2] for number, name in zip(kept_back, sides, strict=True)])
    columns: Arrays = {
        "images": np.stack([faces[_front(name)] for name in sides]),
        "side_images": np.stack([faces[name] for name in sides]),
        "labels": labels,
    }
    return split(columns, test, seed) | {"classes": people}


def _front(name: Name) -> Name:
    return name[0], FRONT, *name[2:]


def _faces(source: Path) -> Mapping[Name, Pixels]:
    """Read the images (SIZE, SIZE) by their names; rows are repeated at the top and at the bottom."""
    files = sorted(source.rglob(FILE)) if source.is_dir() else []
    if not files:
        raise UsageError(f"{source} contains no {FILE}; give the folder with this file")
    try:
        with np.load(files[0], allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
        rows = SIZE - images.shape[1]
        squares = np.pad(images, ((0, 0), (rows // 2, rows - rows // 2), (0, SIZE - images.shape[2])), mode="edge")
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Failure(f"{files[0]} does not hold CMU's face images ({error})") from None
    return {tuple(str(label).split("_")): square for label, square in zip(labels, squares, strict=True)}
