"""A folder of images -> a data set."""

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


class Found(NamedTuple):
    """What was read of one part of a folder."""

    images: Pixels  # (N, size, size), or (N, size, size, 3)
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    has_test: bool  # whether the images for the test lie in a part of their own


def read_folder(root: Path, split: str, size: int, known: tuple[str, ...]) -> Found:
    """The images of a part, squares of `size`; `known` are the classes where they are known.

    Raises:
        Failure: there are no images, or their classes are not those of the images to train on.
    """
    reading = Reading(root)
    refuse_two_sets(reading, root)
    parts = parts_of(reading, root) or {"train": root}
    folder = parts.get(split, parts["train"])
    # What lies in another part is told when that is read.
    classes = _classes(reading if folder == parts["train"] else Reading(root), parts, known)
    reading.folders(folder)  # of which those without an image are told
    pictures: list[Pixels] = []
    labels: list[int] = []
    for label, name in enumerate(classes or ("",)):
        files = reading.files(folder / name) if name else reading.own_files(folder)
        for _, image in reading.images(files) if (folder / name).is_dir() else ():
            pictures.append(fit(image, size, size, 3))
            labels.append(label)
    reading.tell()
    if not pictures:
        raise Failure(f"{folder}: no readable images; put them into one subfolder per class")
    order = shuffled(len(pictures))
    images = grey_if_all(np.stack(pictures)[order])
    return Found(images, np.array(labels)[order], classes or ("image",), "test" in parts)


def _classes(reading: Reading, parts: Parts, known: tuple[str, ...]) -> tuple[str, ...]:
    """The classes of the part to train on, which all parts have."""
    train = parts["train"]
    classes = classes_of(reading, train)
    if known and set(classes) != set(known):
        wrong = listed(sorted(set(classes) ^ set(known)))
        raise Failure(f"{train}: has not one subfolder for each of {', '.join(known)}; what differs: {wrong}")
    for part in [path for name, path in parts.items() if name != "train"]:
        _check_part(part, train, classes)
    return known or classes


def _check_part(part: Path, train: Path, classes: Sequence[str]) -> None:
    """A part may lack a class, but no training has seen one that only it has."""
    found = classes_of(Reading(part), part)
    if unknown := [name for name in found if name not in classes]:
        there = f"the classes {', '.join(classes)}" if classes else "no folders of classes"
        raise Failure(f"{part}: has the classes {listed(unknown)}, which {train} lacks; it has {there}")
    if classes and not found:
        raise Failure(f"{part}: its images do not lie in folders of classes, as those of {train} do")


def shuffled(count: int) -> NDArray[np.int64]:
    """An order of their own: the first thousands, which a score compares, are of every class."""
    return np.random.default_rng(0).permutation(count)


def grey_if_all(images: Pixels) -> Pixels:
    """Images (N, H, W, 3), with one channel where all of them are grey."""
    return images[..., :1] if (images == images[..., :1]).all() else images
