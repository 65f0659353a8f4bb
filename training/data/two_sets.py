"""Two sets of images, in pairs or not: which folders hold them, which of them goes in, and what stands beside what."""

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

Named = dict[str, tuple[Path, Pixels]]  # images by what they have in common with their partners


class TwoSets(NamedTuple):
    """What was read of one part of a folder."""

    views: Pixels  # what goes in: (N, size, size, 1 or 3)
    images: Pixels
    pairs: bool
    has_test: bool  # whether the images for the test lie in a part of their own


def read_two_sets(root: Path, split: str, size: int, view: str, *, pairs: bool) -> TwoSets:
    """Both sets of a part as squares of `size`, in the same order where they are pairs.

    Raises:
        Failure: the folder is laid out in another way, or does not say which of the two sets goes in.
    """
    reading = Reading(root)
    sides = sides_of(reading, root)
    if len(sides) == 2:
        first, second = _in_and_out(reading, list(sides), view)
        tests = _have_tests(root, sides)
        given, made = (_named(reading, sides[side].get(split, sides[side]["train"]), size) for side in (first, second))
        given, made = _partners(reading, given, made) if pairs else (given, made)
    elif sides:
        raise Failure(f"{root}: {_deeper(sides) or layouts(view, pairs=pairs)}")
    else:
        parts = parts_of(reading, root) or {"train": root}
        tests, folder = "test" in parts, parts.get(split, parts["train"])
        halves = _halves(reading, folder, size)
        if not halves[LETTERS[0]]:
            raise Failure(f"{root}: {layouts(view, pairs=pairs)}")
        given, made = (halves[letter] for letter in _in_and_out(reading, LETTERS, view))
        pairs = True
    reading.tell()
    both = grey_if_all(np.concatenate([_stacked(given), _stacked(made)]))
    return TwoSets(both[: len(given)], both[len(given) :], pairs, tests)


def layouts(view: str, *, pairs: bool) -> str:
    """Which data a model of two sets takes, for the messages."""
    folders = (
        "trainA and trainB, or A and B (each as it is, or with train and test inside), or A and B in train and test"
    )
    if not pairs:
        return (
            f"needs two sets of images, which need not be pairs: a folder that holds {folders}; "
            f"or an .npz file with `train_{view}_images` and `train_images`"
        )
    return (
        f"needs pairs, an .npz file in which `train_{view}_images` has an image for each of `train_images`, of the "
        f"same shape, and likewise for `test_`; or a folder that holds {folders}, with the same file names on both "
        "sides; or a folder of images that each show A and B side by side"
    )


def _in_and_out(reading: Reading, names: Sequence[str], view: str) -> tuple[str, str]:
    """The names of the set that goes in and of the other: as the view is called, or else A and B."""
    first, second = names
    if view.lower() == second.lower():
        return second, first
    if view.lower() != first.lower():
        if tuple(name.upper() for name in names) != LETTERS:
            raise Failure(
                f"{reading.root}: which of {first} and {second} goes in? Use --set view={first} --set target={second}, "
                "or the other way round"
            )
        reading.remarks.append(
            f"{first} goes in, called {view}, and {second} comes out; for the other way round use --set view={second}"
        )
    return first, second


def _have_tests(root: Path, sides: dict[str, Parts]) -> bool:
    tests = [side for side, parts in sides.items() if "test" in parts]
    if len(tests) == 1:
        raise Failure(f"{root}: only {tests[0]} has a test part; give both sets one, or neither")
    return bool(tests)


def _named(reading: Reading, folder: Path, size: int) -> Named:
    """The images of a folder, by their names without what tells the format."""
    return {
        str(path.relative_to(folder)): (path, fit(image, size, size, 3))
        for path, image in reading.images(reading.files(folder))
    }


def _partners(reading: Reading, given: Named, made: Named) -> tuple[Named, Named]:
    """Those that have a partner of the same name, whatever their formats."""
    sides = [_by_stem(reading.root, named) for named in (given, made)]
    common = sides[0].keys() & sides[1].keys()
    for side in sides:
        for stem, (path, _) in side.items():
            if stem not in common:
                reading.note(ALONE, path)
    if not common:
        raise Failure(f"{reading.root}: no two images have the same name, by which the pairs are known")
    first, second = ({stem: side[stem] for stem in sorted(common)} for side in sides)
    return first, second


def _by_stem(root: Path, named: Named) -> Named:
    found: Named = {}
    for name, (path, pixels) in named.items():
        stem = str(Path(name).with_suffix(""))
        if stem in found:
            raise Failure(
                f"{root}: {found[stem][0].name} and {path.name} have the same name; which one is the partner?"
            )
        found[stem] = path, pixels
    return found


def _halves(reading: Reading, folder: Path, size: int) -> dict[str, Named]:
    """The left and right halves of images that are twice as wide as high."""
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
    """What to use where the two sets lie in the only folder there is."""
    folder = next(iter(next(iter(sides.values())).values()))
    return f"both sets lie in {folder.name}; use --data {folder}" if len(sides_of(Reading(folder), folder)) == 2 else ""
