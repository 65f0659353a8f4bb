"""Characters from the Universal LPC sprite sheets in twenty poses, with a map of the parts of each image."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.palettes import PARTS
from training.data.prepare import lpc
from training.data.prepare.arrays import Arrays
from training.data.prepare.artwork import Artwork, map_of

ROWS = {"back": 8, "left": 9, "front": 10, "right": 11}  # of a sheet: the side that we see, or where the walk goes
FRAMES = {"stand {}": 0, "walk {} 1": 1, "walk {} 2": 3, "walk {} 3": 5, "walk {} 4": 7}  # every other step of a walk
BELONGS = {
    "body": "body", "legs": "legs", "feet": "feet", "torso": "torso", "formal_male_no_th-sh": "torso", "facial": "hair",
    "hair": "hair", "head": "hair",
}  # fmt: skip  # what each folder's layers belong to


def artwork(source: Path) -> Artwork:
    """Describe the artwork in the folder of the Universal LPC sprite sheets.

    Raises:
        UsageError: the folder has no such sheets.
    """
    return replace(
        lpc.artwork(source),
        views={name.format(to): lpc.frame(row, place) for to, row in ROWS.items() for name, place in FRAMES.items()},
        images=500,
        paints={folder: PARTS.colours[part] for folder, part in BELONGS.items()},
        apart=True,
    )


def apart(artwork: Artwork, arrays: Arrays) -> Arrays:
    """Return the arrays of `compose` with a row for each view of a character, whose name is the label.

    The views become `images`, and their maps `map_images`; a character's rows follow one another.
    """
    views = list(artwork.views)
    rows: Arrays = {"classes": np.array(views)}
    for part in ("train_", "test_"):
        rows |= {
            f"{part}images": _interleaved([arrays[part + view] for view in views]),
            f"{part}map_images": _interleaved([arrays[part + map_of(view)] for view in views]),
            f"{part}labels": np.tile(np.arange(len(views)), len(arrays[f"{part}labels"])),
            f"{part}traits": arrays[f"{part}traits"].repeat(len(views), axis=0),
            f"{part}captions": arrays[f"{part}captions"].repeat(len(views)),
        }
    return rows | {name: array for name, array in arrays.items() if name.endswith("_names")}


def _interleaved(columns: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Columns (N, ...) of equal shape -> one column whose first rows are the first of each, and so on."""
    return np.stack(columns, axis=1).reshape(-1, *columns[0].shape[1:])
