"""Read two sets of images, in pairs or not: find their folders, decide which is the input, and match partners."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_serve.errors import Failure
from gan_serve.images.pixels import Pixels
from gan_serve.images.preprocess import fit
from training.data.from_folder import grey_if_all, shuffled
from training.data.layouts import LETTERS, Parts, parts_of, sides_of
from training.data.reading import ALONE, NARROW, Reading

Named = dict[str, tuple[Path, Pixels]]  # images by the names that partners share


class TwoSets(NamedTuple):
    """The images of one part of a folder with two sets."""

    views: Pixels  # the inputs: (N, size, size, 1 or 3)
    images: Pixels  # the targets
    pairs: bool
    has_test: bool  # whether the folder has a test part


def read_two_sets(root: Path, split: str, size: int, view: str, *, pairs: bool) -> TwoSets:
    """Read both sets of a part, resized to squares of `size`; pairs are in the same order.

    Raises:
        Failure: the folder has another layout, or does not say which of the two sets is the input.
    """
    reading = Reading(root)
    sides = sides_of(reading, root)
    if len(sides) == 2:
        names = _input_and_target(reading, list(sides), view)
        has_test = _have_tests(root, sides)
        inputs, targets = (_named(reading, sides[name].get(split, sides[name]["train"]), size) for name in names)
        inputs, targets = _partners(reading, inputs, targets) if pairs else (inputs, targets)
    elif sides:
        raise Failure(f"{root}: {_deeper(sides) or layouts(view, pairs=pairs)}")
    else:
        parts = parts_of(reading, root) or {"train": root}
        has_test, folder = "test" in parts, parts.get(split, parts["train"])
        halves = _halves(reading, folder, size)
        if not halves[LETTERS[0]]:
            raise Failure(f"{root}: {layouts(view, pairs=pairs)}")
        inputs, targets = (halves[letter] for letter in _input_and_target(reading, LETTERS, view))
        pairs = True
    reading.warn()
    both = grey_if_all(np.concatenate([_stacked(inputs), _stacked(targets)]))
    return TwoSets(both[: len(inputs)], both[len(inputs) :], pairs, has_test)


def layouts(view: str, *, pairs: bool) -> str:
    """Describe the data that a model of two sets accepts, for messages."""
    folders = (
        "trainA and trainB, or A and B (each with images, or with train and test inside), or A and B in train and test"
    )
    if not pairs:
        return (
            f"needs two sets of images, not necessarily pairs: a folder that contains {folders}; "
            f"or an .npz file with `train_{view}_images` and `train_images`"
        )
    return (
        f"needs pairs: an .npz file in which `train_{view}_images` has an image of the same shape for each of "
        f"`train_images`, and likewise for `test_`; or a folder that contains {folders}, with the same file names on "
        "both sides; or a folder of images that each show A and B side by side"
    )


def _input_and_target(reading: Reading, names: Sequence[str], view: str) -> tuple[str, str]:
    """Return the names of the input set and of the target set: by the view's name, otherwise A and B."""
    first, second = names
    if view.lower() == second.lower():
        return second, first
    if view.lower() != first.lower():
        if tuple(name.upper() for name in names) != LETTERS:
            raise Failure(
                f"{reading.root}: which of {first} and {second} is the input? Use --set view={first} "
                f"--set target={second}, or the other way round"
            )
        reading.remarks.append(
            f"{first} is the input, called {view}, and {second} the target; to swap them, use --set view={second}"
        )
    return first, second


def _have_tests(root: Path, sides: dict[str, Parts]) -> bool:
    tests = [side for side, parts in sides.items() if "test" in parts]
    if len(tests) == 1:
        raise Failure(f"{root}: only {tests[0]} has a test part; add one to the other set, or remove it")
    return bool(tests)


def _named(reading: Reading, folder: Path, size: int) -> Named:
    """Read the images of a folder, by their relative paths."""
    return {
        str(path.relative_to(folder)): (path, fit(image, size, size, 3))
        for path, image in reading.images(reading.files(folder))
    }


def _partners(reading: Reading, inputs: Named, targets: Named) -> tuple[Named, Named]:
    """Return the images that have a partner of the same name, regardless of format."""
    sides = [_by_stem(reading.root, named) for named in (inputs, targets)]
    common = sides[0].keys() & sides[1].keys()
    for side in sides:
        for stem, (path, _) in side.items():
            if stem not in common:
                reading.note(ALONE, path)
    if not common:
        raise Failure(f"{reading.root}: no two images have the same name; give the images of a pair the same file name")
    first, second = ({stem: side[stem] for stem in sorted(common)} for side in sides)
    return first, second


def _by_stem(root: Path, named: Named) -> Named:
    found: Named = {}
    for name, (path, pixels) in named.items():
        stem = str(Path(name).with_suffix(""))
        if stem in found:
            raise Failure(
                f"{root}: {found[stem][0].name} and {path.name} have the same name; keep the one that has a partner"
            )
        found[stem] = path, pixels
    return found


def _halves(reading: Reading, folder: Path, size: int) -> dict[str, Named]:
    """Read images that are twice as wide as high, and return their left and right halves."""
    halves: dict[str, Named] = {letter: {} for letter in LETTERS}
    for path, image in reading.images(reading.files(folder)):
        side = image.height
        if image.width != 2 * side:
            reading.note(NARROW, path)
            continue
        for number, letter in enumerate(LETTERS):
            half = image.crop((number * side, 0, (number + 1) * side, side))
            halves[letter][str(path)] = path, fit(half, size, size, 3)
    return halves


def _stacked(named: Named) -> Pixels:
    pixels = np.stack([pixels for _, pixels in named.values()])
    stacked: Pixels = pixels[shuffled(len(pixels))]
    return stacked


def _deeper(sides: dict[str, Parts]) -> str:
    """Return a hint if the two sets are one folder deeper."""
    folder = next(iter(next(iter(sides.values())).values()))
    return (
        f"both sets are inside {folder.name}; use --data {folder}"
        if len(sides_of(Reading(folder), folder)) == 2
        else ""
    )
