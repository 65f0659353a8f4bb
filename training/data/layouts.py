"""The layouts of data folders: parts, classes, and two sets of images."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from gan_serve.class_names import in_order
from gan_serve.errors import Failure
from training.data.reading import BESIDE, VALIDATION, Reading, counted, listed

Parts = dict[str, Path]  # the folder of each existing part: train, test

LETTERS = ("A", "B")  # of two sets; A is the input, unless the view is called B
PARTS = {"train": ("train", "training"), "test": ("test", "testing"), "val": ("val", "valid", "validation")}


def part_named(name: str) -> str | None:
    """Return the part that a folder's name stands for, regardless of case."""
    return next((part for part, names in PARTS.items() if name.lower() in names), None)


def parts_of(reading: Reading, folder: Path) -> Parts:
    """Return the parts of a folder, if any, and note the files outside them.

    The part `val` is the test part if there is no other.

    Raises:
        Failure: the training part is missing, or two folders are the same part.
    """
    folders = reading.folders(folder)
    parts = _unique_parts(folder, [(part, path) for name, path in folders.items() if (part := part_named(name))])
    if not parts:
        return {}
    if "train" not in parts:
        part = next(iter(parts.values())).name
        raise Failure(
            f"{folder}: has the part {part} without the part train; put the training images into {folder}/train"
        )
    _note_beside(reading, folder, [path for name, path in folders.items() if part_named(name)])
    return _train_and_test(reading, parts)


def sides_of(reading: Reading, root: Path) -> dict[str, Parts]:
    """Return the parts of each of the two sets: trainA and trainB, A and B, or A and B in each part."""
    if suffixed := _suffixed(reading, root):
        return suffixed
    if parts := parts_of(reading, root):
        inside = {part: _sides(reading, folder) for part, folder in parts.items()}
        return {
            name: {part: folders[name] for part, folders in inside.items() if name in folders}
            for name in inside["train"]
        }
    return {name: parts_of(reading, path) or {"train": path} for name, path in _sides(reading, root).items()}


def _sides(reading: Reading, folder: Path) -> dict[str, Path]:
    """Return the subfolders with images, or only A and B if both are among them."""
    folders = reading.folders(folder)
    lettered = {name: path for name, path in folders.items() if name.upper() in LETTERS}
    chosen = lettered if len(lettered) == len(LETTERS) else folders
    if chosen:
        _note_beside(reading, folder, chosen.values())
    return chosen


def _note_beside(reading: Reading, folder: Path, used: Collection[Path]) -> None:
    """Note the files of a folder and its subfolders, except those in the subfolders that are used."""
    for path in reading.own_files(folder):
        reading.note(BESIDE, path)
    for subfolder in reading.folders(folder).values():
        for path in reading.files(subfolder) if subfolder not in used else ():
            reading.note(BESIDE, path)


def refuse_two_sets(reading: Reading, root: Path) -> None:
    """Refuse a folder of two sets of images, which are no classes.

    Raises:
        Failure: the folder contains trainA and trainB.
    """
    if sides := _suffixed(reading, root):
        first = sides[min(sides)]["train"]
        raise Failure(
            f"{root}: contains two sets of images, for models such as cyclegan; to train on one, use --data {first}"
        )


def classes_of(reading: Reading, folder: Path) -> tuple[str, ...]:
    """Return the names of the subfolders with images in order, or none if the images are in the folder itself.

    Raises:
        Failure: there are images in both, or the subfolders are no classes.
    """
    folders = reading.folders(folder)
    for path in folders.values():
        refuse_two_sets(Reading(path), path)
        if inner := [each.name for each in path.iterdir() if each.is_dir() and part_named(each.name) == "train"]:
            raise Failure(
                f"{folder}: the part {inner[0]} is inside {path.name}; use --data {path}, or put the classes into the "
                f"parts, as in {inner[0]}/{path.name}"
            )
    if folders:
        _refuse_loose(reading, folder, list(folders))
    if len(folders) == 1:
        _remark_depth(reading, next(iter(folders.values())))
    return in_order(folders)


def _suffixed(reading: Reading, root: Path) -> dict[str, Parts]:
    """Return the parts of folders such as trainA and trainB, by letter."""
    sides: dict[str, list[tuple[str, Path]]] = {}
    for name, path in reading.folders(root).items():
        match = re.fullmatch(r"(.+?)[ _-]?([ab])", name, re.IGNORECASE)
        if match and (part := part_named(match[1])):
            sides.setdefault(match[2].upper(), []).append((part, path))
    by_letter = {side: _unique_parts(root, found) for side, found in sides.items()}
    if len(by_letter) < len(LETTERS) or not all("train" in parts for parts in by_letter.values()):
        return {}
    _note_beside(reading, root, [path for parts in by_letter.values() for path in parts.values()])
    return {side: _train_and_test(reading, parts) for side, parts in sorted(by_letter.items())}


def _unique_parts(folder: Path, found: Iterable[tuple[str, Path]]) -> Parts:
    parts: Parts = {}
    for part, path in found:
        if part in parts:
            raise Failure(f"{folder}: {parts[part].name} and {path.name} are both the part {part}; keep one")
        parts[part] = path
    return parts


def _train_and_test(reading: Reading, parts: Parts) -> Parts:
    """Return the parts that are used; the validation part serves as the test part if there is no other."""
    used = {part: path for part, path in parts.items() if part != "val"}
    if "val" in parts and "test" in parts:
        for file in reading.files(parts["val"]):
            reading.note(VALIDATION, file)
    elif "val" in parts:
        used["test"] = parts["val"]
    return used


def _refuse_loose(reading: Reading, folder: Path, names: list[str]) -> None:
    """Refuse images beside class folders: either of the two may be the data."""
    loose = [path.name for path, _ in reading.images(reading.own_files(folder))]
    if loose:
        count = counted(len(loose), "image is", "images are")
        raise Failure(
            f"{folder}: {count} beside the image folders {listed(names)}; "
            "put each image into the folder of its class, or move these images or the folders away"
        )


def _remark_depth(reading: Reading, path: Path) -> None:
    """Remark that the subfolders of a single class may be the classes."""
    inner = list(Reading(path).folders(path))
    if len(inner) > 1:
        reading.remarks.append(
            f"all images are of one class, {path.name}; for the classes {listed(inner)} use --data {path}"
        )
