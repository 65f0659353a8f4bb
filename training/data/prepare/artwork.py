"""What characters are composed of, and the composition."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training.data.prepare.arrays import TEST_SHARE, Arrays, unseen
from training.loop import progress

Choices = dict[str, tuple[str, ...]]  # what can be chosen -> the files of its layers, from back to front
Wardrobe = dict[str, Choices]  # trait -> its choices, from back to front
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


@dataclass(frozen=True)
class Artwork:
    """Layers of pixel art, and how characters are made of them.

    A file's name may contain other traits, as in `hair/$sex/long.png`.
    """

    folder: Path  # that the files' names start from
    wardrobes: tuple[Wardrobe, ...]  # all of the same traits; a character's layers come from one of them
    label: str  # the trait that says most of an image
    caption: Callable[[dict[str, str]], str]  # of what was chosen for each trait
    file_size: tuple[int, int]  # width and height in pixels
    views: dict[str, Box]  # what an array of images is called -> the part of each file that it shows
    images: int  # how many the training set usually has


@dataclass(frozen=True)
class Character:
    """What was chosen for each trait, and the files that show it, from back to front."""

    traits: dict[str, str]
    files: tuple[str, ...]


def compose(artwork: Artwork, *, images: int, seed: int) -> Arrays:
    """Characters composed at random.

    There are, each for `train_` and `test_`: `images` (N, H, W, 3) and the other views, `labels` (N,), `traits`
    (N, T), the number of what was chosen for each trait, and `captions` (N,). Beside them stand `classes`, the names
    of the labels, `trait_names`, and `<trait>_names` for each trait. The test set has a fifth as many, less those that
    look like one of the training set.

    Raises:
        UsageError: too many images are asked for.
        Failure: a layer is not an image of the artwork's size.
    """
    characters = _draw(artwork, images + images // (TEST_SHARE - 1), np.random.default_rng(seed))
    names = _names(artwork)
    traits = np.array([[names[trait].index(name) for trait, name in one.traits.items()] for one in characters])
    columns = {
        **_images(artwork, characters),
        "labels": traits[:, list(names).index(artwork.label)],
        "traits": traits,
        "captions": np.array([artwork.caption(one.traits) for one in characters]),
    }
    arrays = {f"train_{name}": column[:images] for name, column in columns.items()}
    arrays |= {f"test_{name}": column[images:] for name, column in columns.items()}
    arrays = unseen(arrays)
    arrays |= {f"{trait}_names": np.array(choices) for trait, choices in names.items()}
    return arrays | {"classes": np.array(names[artwork.label]), "trait_names": np.array(list(names))}


def _names(artwork: Artwork) -> dict[str, tuple[str, ...]]:
    """What can be chosen for each trait, in whichever wardrobe."""
    return {
        trait: tuple(dict.fromkeys(name for wardrobe in artwork.wardrobes for name in wardrobe[trait]))
        for trait in artwork.wardrobes[0]
    }


def _draw(artwork: Artwork, count: int, random: np.random.Generator) -> list[Character]:
    """As many different characters, each wardrobe as often."""
    sizes = np.array([[len(choices) for choices in wardrobe.values()] for wardrobe in artwork.wardrobes])
    wardrobes = random.integers(len(sizes), size=2 * count)
    choices = random.integers(sizes[wardrobes])
    different = np.unique(np.column_stack([wardrobes, choices]), axis=0)
    if len(different) < count:
        total = sizes.prod(axis=1).sum()
        raise UsageError(f"these layers make {total:,} characters; ask for fewer than half of them")
    return [_character(artwork.wardrobes[row[0]], row[1:]) for row in random.permutation(different)[:count]]


def _character(wardrobe: Wardrobe, choices: NDArray[np.int64]) -> Character:
    traits = {trait: list(wardrobe[trait])[index] for trait, index in zip(wardrobe, choices, strict=True)}
    files = [file for trait, name in traits.items() for file in wardrobe[trait][name]]
    return Character(traits, tuple(Template(file).safe_substitute(traits) for file in files))


def _images(artwork: Artwork, characters: Sequence[Character]) -> dict[str, NDArray[np.uint8]]:
    """Of each view the RGB images (N, H, W, 3), the layers one upon the other on white."""
    layers = functools.cache(functools.partial(_layer, artwork))
    arrays = {
        view: np.empty((len(characters), bottom - top, right - left, 3), np.uint8)
        for view, (left, top, right, bottom) in artwork.views.items()
    }
    for number, character in enumerate(progress.track(characters, "composing", len(characters))):
        drawn = [layers(file) for file in character.files]
        for view, images in arrays.items():
            canvas = Image.new("RGBA", images.shape[2:0:-1], "white")
            for layer in drawn:
                canvas.alpha_composite(layer[view])
            images[number] = np.asarray(canvas.convert("RGB"))
    return arrays


def _layer(artwork: Artwork, file: str) -> dict[str, Image.Image]:
    """What a file shows in each view."""
    path = artwork.folder / file
    try:
        with Image.open(path) as image:
            picture = image.convert("RGBA")
    except (OSError, SyntaxError) as error:  # Pillow calls a damaged PNG file a syntax error
        raise Failure(f"{path} is not a readable image ({getattr(error, 'strerror', None) or error})") from None
    if picture.size != artwork.file_size:
        sizes = "{}x{}, not {}x{}".format(*picture.size, *artwork.file_size)
        raise Failure(f"{path} is not a layer of this artwork: it has {sizes} pixels")
    return {view: picture.crop(box) for view, box in artwork.views.items()}
