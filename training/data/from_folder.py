"""Read a folder of images, with a subfolder for each class or without classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure
from gan_serve.images.pixels import Pixels
from gan_serve.images.preprocess import fit
from training.data.layouts import Parts, classes_of, parts_of, refuse_two_sets
from training.data.reading import Reading, listed


class FolderImages(NamedTuple):
    """The images of one part of a folder."""

    images: Pixels  # (N, size, size), or (N, size, size, 3)
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    has_test: bool  # whether the folder has a test part


def read_folder(root: Path, split: str, size: int, known: tuple[str, ...]) -> FolderImages:
    """Read the images of a part, resized to squares of `size`; `known` lists the classes if the data set is known.

    Raises:
        Failure: there are no images, or the classes differ from those of the training part.
    """
    reading = Reading(root)
    refuse_two_sets(reading, root)
    parts = parts_of(reading, root) or {"train": root}
    folder = parts.get(split, parts["train"])
    # Problems in another part are reported when that part is read.
    classes = _classes(reading if folder == parts["train"] else Reading(root), parts, known)
    reading.folders(folder)  # reports those without an image
    squares: list[Pixels] = []
    labels: list[int] = []
    for label, name in enumerate(classes or ("",)):
        files = reading.files(folder / name) if name else reading.own_files(folder)
        for _, image in reading.images(files) if (folder / name).is_dir() else ():
            squares.append(fit(image, size, size, 3))
            labels.append(label)
    reading.warn()
    if not squares:
        raise Failure(f"{folder}: no readable images; put them into one subfolder per class")
    order = shuffled(len(squares))
    images = grey_if_all(np.stack(squares)[order])
    return FolderImages(images, np.array(labels)[order], classes or ("image",), "test" in parts)


def _classes(reading: Reading, parts: Parts, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes of the training part, which all parts share."""
    train = parts["train"]
    classes = classes_of(reading, train)
    if known and set(classes) != set(known):
        wrong = listed(sorted(set(classes) ^ set(known)))
        raise Failure(f"{train}: needs one subfolder for each of {', '.join(known)}; missing or unexpected: {wrong}")
    for part in [path for name, path in parts.items() if name != "train"]:
        _check_part(part, train, classes)
    return known or classes


def _check_part(part: Path, train: Path, classes: Sequence[str]) -> None:
    """Refuse classes that the training part lacks; a part need not have all of its classes."""
    found = classes_of(Reading(part), part)
    if unknown := [name for name in found if name not in classes]:
        there = f"the classes {', '.join(classes)}" if classes else "no class folders"
        raise Failure(f"{part}: has the classes {listed(unknown)}, which {train} lacks; that one has {there}")
    if classes and not found:
        raise Failure(f"{part}: has images without class folders; put them into class folders, as in {train}")


def shuffled(count: int) -> NDArray[np.int64]:
    """Return a fixed random order, so that the first thousands, which the scores compare, contain every class."""
    return np.random.default_rng(0).permutation(count)


def grey_if_all(images: Pixels) -> Pixels:
    """Return images (N, H, W, 3), reduced to one channel if all of them are grey."""
    return images[..., :1] if (images == images[..., :1]).all() else images
