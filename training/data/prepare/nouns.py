"""Nouns: characters of 32x32 pixels, heads with glasses on a body."""

from dataclasses import replace
from pathlib import Path

from gan_serve.errors import UsageError
from training.data.prepare.arrays import find_folder
from training.data.prepare.artwork import Artwork, Choices

FOLDERS = {
    "background": "0-backgrounds",
    "body": "1-bodies",
    "accessory": "2-accessories",
    "head": "3-heads",
    "glasses": "4-glasses",
}

HEADS = (
    "aardvark", "banana", "bear", "beer", "blueberry", "boombox", "burger dollarmenu", "camcorder", "chameleon",
    "cheese", "cherry", "cone", "crab", "crown", "diamond blue", "dog", "duck", "fox", "frog", "garlic", "hotdog",
    "house", "jellyfish", "lips", "mailbox", "moon", "mushroom", "orca", "panda", "pizza", "pumpkin", "rainbow",
    "robot", "shark", "skeleton hat", "snowglobe", "taxi", "toaster", "unicorn", "watermelon",
)  # fmt: skip
# Bodies of one colour each, which is less than 45 of 255 levels away from that of a body that stays.
ALIKE = (
    "bege crt", "computerblue", "darkbrown", "foggrey", "grayscale 7", "grayscale 9", "hotbrown", "peachy B",
    "peachy a",
)  # fmt: skip


def few(source: Path) -> Artwork:
    """Describe Nouns with 40 of the heads, and without the bodies that look like another one; raises as `artwork`."""
    everything = artwork(source)
    (wardrobe,) = everything.wardrobes
    heads = {name: files for name, files in wardrobe["head"].items() if name in HEADS}
    bodies = {name: files for name, files in wardrobe["body"].items() if name not in ALIKE}
    if len(heads) < len(HEADS):
        raise UsageError(f"{everything.folder} lacks the heads {', '.join(sorted({*HEADS} - {*heads}))}")
    return replace(everything, wardrobes=({**wardrobe, "head": heads, "body": bodies},))


def artwork(source: Path) -> Artwork:
    """Describe the artwork in the folder of Nouns' layers; a choice is named after its file.

    Raises:
        UsageError: the folder has no such layers.
    """
    folder = find_folder(source, FOLDERS["background"]).parent
    return Artwork(
        folder=folder,
        wardrobes=({trait: _choices(folder / name) for trait, name in FOLDERS.items()},),
        label="head",
        caption="a character with the head {head}, {glasses} glasses, a {body} body and {accessory}, on {background} "
        "ground".format_map,
        file_size=(32, 32),
        views={"images": (0, 0, 32, 32)},
        images=50_000,
    )


def _choices(folder: Path) -> Choices:
    """Return the choices in a folder: `head-sand-castle.png` is `sand castle`."""
    files = sorted(folder.glob("*.png"))
    if not files:
        raise UsageError(f"{folder} contains no .png files")
    return {file.stem.partition("-")[2].replace("-", " "): (f"{folder.name}/{file.name}",) for file in files}
