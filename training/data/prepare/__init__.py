"""Data sets that are made of files that someone has unpacked: composed characters, and images in pairs."""

from collections.abc import Callable
from pathlib import Path

from gan_serve.errors import UsageError
from training.data.prepare import bsds, camvid, emoji, lpc, nouns
from training.data.prepare.arrays import Arrays, write
from training.data.prepare.artwork import Artwork, compose

ARTWORKS: dict[str, Callable[[Path], Artwork]] = {"nouns": nouns.artwork, "lpc": lpc.artwork}
COLLECTIONS: dict[str, Callable[[Path, int], Arrays]] = {
    "emoji_lines": emoji.lines,
    "emoji_styles": emoji.styles,
    "camvid": camvid.streets,
    "bsds": bsds.photos,
}


def prepare(name: str, source: Path, target: Path, *, images: int | None, seed: int) -> None:
    """Make the known data set from the folder of its files; `images` of None is as many as it usually has.

    Raises:
        UsageError: the folder has no such files, or too many images are asked for.
        Failure: a file is not an image of the usual kind.
    """
    write(_composed(name, source, images, seed) if name in ARTWORKS else _collected(name, source, images, seed), target)


def _composed(name: str, source: Path, images: int | None, seed: int) -> Arrays:
    artwork = ARTWORKS[name](source)
    return compose(artwork, images=images or artwork.images, seed=seed)


def _collected(name: str, source: Path, images: int | None, seed: int) -> Arrays:
    if images is not None:
        raise UsageError(f"{name} is not composed and has as many images as there are files; leave out --images")
    return COLLECTIONS[name](source, seed)
