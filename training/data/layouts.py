"""How folders of data are laid out: in parts, in classes, or as two sets of images."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from gan_serve.class_names import in_order
from gan_serve.errors import Failure
from training.data.reading import BESIDE, VALIDATION, Reading, counted, listed

Parts = dict[str, Path]  # the folder of each part there is: train, test

LETTERS = ("A", "B")  # of two sets, of which A goes in, unless the view is called B
PARTS = {"train": ("train", "training"), "test": ("test", "testing"), "val": ("val", "valid", "validation")}


def part_named(name: str) -> str | None:
    """The part that a folder is called by, in small letters or capitals."""
    return next((part for part, names in PARTS.items() if name.lower() in names), None)


def parts_of(reading: Reading, folder: Path) -> Parts:
    """The parts of a folder that has any, told what lies beside them; without a test part, `val` is it.

    Raises:
        Failure: there is no part to train on, or a part lies there twice.
    """
    folders = reading.folders(folder)
    parts = _gathered(folder, [(part, path) for name, path in folders.items() if (part := part_named(name))])
    if not parts:
        return {}
    if "train" not in parts:
        part = next(iter(parts.values())).name
        raise Failure(
            f"{folder}: has the part {part} without the part train; put the images to train on into {folder}/train"
        )
    _note_beside(reading, folder, [path for name, path in folders.items() if part_named(name)])
    return _tested(reading, parts)


def sides_of(reading: Reading, root: Path) -> dict[str, Parts]:
    """The parts of each of the sets that lie side by side: trainA and trainB, A and B, or A and B in each part."""
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
    """The subfolders that hold images; where A and B are among them, these two."""
    folders = reading.folders(folder)
    lettered = {name: path for name, path in folders.items() if name.upper() in LETTERS}
    chosen = lettered if len(lettered) == len(LETTERS) else folders
    if chosen:
        _note_beside(reading, folder, chosen.values())
    return chosen


def _note_beside(reading: Reading, folder: Path, used: Collection[Path]) -> None:
    """Files of a folder, and of its subfolders, that are not below those that are used."""
    for path in reading.own_files(folder):
        reading.note(BESIDE, path)
    for subfolder in reading.folders(folder).values():
        for path in reading.files(subfolder) if subfolder not in used else ():
            reading.note(BESIDE, path)


def refuse_two_sets(reading: Reading, root: Path) -> None:
    """Two sets of images are no classes.

    Raises:
        Failure: there are trainA and trainB.
    """
    if sides := _suffixed(reading, root):
        first = sides[min(sides)]["train"]
        raise Failure(
            f"{root}: holds two sets of images, for models such as cyclegan; to train on one, use --data {first}"
        )


def classes_of(reading: Reading, folder: Path) -> tuple[str, ...]:
    """The names of the subfolders that hold an image, in their order; none where the images lie in the folder itself.

    Raises:
        Failure: there are both, or the subfolders are no classes.
    """
    folders = reading.folders(folder)
    for path in folders.values():
        refuse_two_sets(Reading(path), path)
        if inner := [each.name for each in path.iterdir() if each.is_dir() and part_named(each.name) == "train"]:
            raise Failure(
                f"{folder}: the part {inner[0]} lies in {path.name}; use --data {path}, or put classes into the parts, "
                f"as {inner[0]}/{path.name}"
            )
    if folders:
        _refuse_loose(reading, folder, list(folders))
    if len(folders) == 1:
        _remark_depth(reading, next(iter(folders.values())))
    return in_order(folders)


def _suffixed(reading: Reading, root: Path) -> dict[str, Parts]:
    """Folders called trainA, trainB and so on, by the letter."""
    sides: dict[str, list[tuple[str, Path]]] = {}
    for name, path in reading.folders(root).items():
        match = re.fullmatch(r"(.+?)[ _-]?([ab])", name, re.IGNORECASE)
        if match and (part := part_named(match[1])):
            sides.setdefault(match[2].upper(), []).append((part, path))
    gathered = {side: _gathered(root, found) for side, found in sides.items()}
    if len(gathered) < len(LETTERS) or not all("train" in parts for parts in gathered.values()):
        return {}
    _note_beside(reading, root, [path for parts in gathered.values() for path in parts.values()])
    return {side: _tested(reading, parts) for side, parts in sorted(gathered.items())}


def _gathered(folder: Path, found: Iterable[tuple[str, Path]]) -> Parts:
    parts: Parts = {}
    for part, path in found:
        if part in parts:
            raise Failure(f"{folder}: {parts[part].name} and {path.name} are both the part {part}; keep one")
        parts[part] = path
    return parts


def _tested(reading: Reading, parts: Parts) -> Parts:
    """The parts that are used: what is to validate on is the test part where there is no other."""
    used = {part: path for part, path in parts.items() if part != "val"}
    if "val" in parts and "test" in parts:
        for file in reading.files(parts["val"]):
            reading.note(VALIDATION, file)
    elif "val" in parts:
        used["test"] = parts["val"]
    return used


def _refuse_loose(reading: Reading, folder: Path, names: list[str]) -> None:
    """Images beside the folders of classes may be the data, and the folders none: only their owner knows."""
    loose = [path.name for path, _ in reading.images(reading.own_files(folder))]
    if loose:
        count = counted(len(loose), "image lies", "images lie")
        raise Failure(
            f"{folder}: {count} beside the folders of images {listed(names)}; "
            "put each image into the folder of its class, or move either these images or the folders away"
        )


def _remark_depth(reading: Reading, path: Path) -> None:
    """One class whose images lie in folders of their own may be a folder too many."""
    inner = list(Reading(path).folders(path))
    if len(inner) > 1:
        reading.remarks.append(
            f"all images are of one class, {path.name}; for the classes {listed(inner)} use --data {path}"
        )
