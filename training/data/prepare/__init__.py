"""Prepare data sets from unpacked files: composed characters, images in pairs, and photos."""

from collections.abc import Callable
from pathlib import Path

from gan_serve.errors import UsageError
from training.data.prepare import bsds, camvid, digits, emoji, faces, garments, lpc, nouns, poses
from training.data.prepare.arrays import Arrays, write
from training.data.prepare.artwork import Artwork, compose

ARTWORKS: dict[str, Callable[[Path], Artwork]] = {
    "nouns": nouns.artwork,
    "nouns_40": nouns.few,
    "lpc": lpc.artwork,
    "lpc_garments": garments.artwork,
    "lpc_poses": poses.artwork,
}
COLLECTIONS: dict[str, Callable[[Path, int], Arrays]] = {
    "emoji_lines": emoji.lines,
    "emoji_styles": emoji.styles,
    "camvid": camvid.streets,
    "bsds": bsds.photos,
    "mnist_m": digits.before_photos,
    "cmu_faces": faces.fronts,
}


def prepare(name: str, source: Path, target: Path, *, images: int | None, seed: int) -> None:
    """Write a known data set to `target` from the folder of its files; `images` of None means the usual number.

    Raises:
        UsageError: the folder does not contain the files, or they do not yield that many images.
        Failure: a file is not a valid image of the data set.
    """
    write(_composed(name, source, images, seed) if name in ARTWORKS else _collected(name, source, images, seed), target)


def _composed(name: str, source: Path, images: int | None, seed: int) -> Arrays:
    artwork = ARTWORKS[name](source)
    arrays = compose(artwork, images=images or artwork.images, seed=seed)
    return poses.apart(artwork, arrays) if artwork.apart else arrays


def _collected(name: str, source: Path, images: int | None, seed: int) -> Arrays:
    if images is not None:
        raise UsageError(f"the files of {name} determine its number of images; leave out --images")
    return COLLECTIONS[name](source, seed)
