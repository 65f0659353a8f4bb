"""Data sets that are composed: characters from layers of pixel art, with captions and traits."""

from collections.abc import Callable
from pathlib import Path

from training.prepare import lpc, nouns
from training.prepare.artwork import Artwork, compose

ARTWORKS: dict[str, Callable[[Path], Artwork]] = {"nouns": nouns.artwork, "lpc": lpc.artwork}


def prepare(name: str, source: Path, target: Path, *, images: int | None, seed: int) -> None:
    """Compose the known data set from the folder of its layers; `images` of None is as many as it usually has.

    Raises:
        UsageError: the folder has no such layers, or too many images are asked for.
        Failure: a layer is not a picture of the usual size.
    """
    artwork = ARTWORKS[name](source)
    compose(artwork, target, images=images or artwork.images, seed=seed)
