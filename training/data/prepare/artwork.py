"""Compose characters from layers of artwork."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training import progress
from training.data.palettes import Colour
from training.data.prepare.arrays import TEST_SHARE, Arrays, unseen

Choices = dict[str, tuple[str, ...]]  # a choice -> the files of its layers, from back to front
Wardrobe = dict[str, Choices]  # trait -> its choices, from back to front
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels
OPAQUE = 128  # the least alpha of a pixel that belongs to a layer in a map
MIDDLE = (170, 220)  # the least and the most saturation of a dyed layer: grey becomes a colour, too


@dataclass(frozen=True)
class Artwork:
    """Layers of pixel art, and the rules for composing characters from them.

    A file's name may refer to other traits, as in `hair/$sex/long.png`, and end in a hue in degrees that its layer is
    dyed with, as in `shirt.png?hue=240`.
    """

    folder: Path  # the files' names are relative to it
    wardrobes: tuple[Wardrobe, ...]  # all have the same traits; a character's layers come from one of them
    label: str  # the trait that serves as the label
    caption: Callable[[dict[str, str]], str]  # from the choice for each trait
    file_size: tuple[int, int]  # width and height in pixels
    views: dict[str, Box]  # the name of an array of images -> the part of each file that it shows
    images: int  # the usual size of the training set
    alone: Mapping[str, str] = field(default_factory=dict)  # a view -> the one trait whose layers it shows
    paints: Mapping[str, Colour] = field(default_factory=dict)  # folder -> the colour of its layers in maps
    apart: bool = False  # whether each view is an image of its own, and a class, instead of a view of one image

    @property
    def traits(self) -> list[str]:
        """The traits that the images show."""
        return [self.alone["images"]] if "images" in self.alone else list(self.wardrobes[0])

    @property
    def boxes(self) -> dict[str, Box]:
        """The part of each file that an array shows: the views and, where there are paints, a map of each."""
        return self.views | ({map_of(view): box for view, box in self.views.items()} if self.paints else {})


@dataclass(frozen=True)
class Character:
    """The choice and the files for each trait; the traits are ordered from back to front, and so are the files."""

    traits: dict[str, str]
    files: dict[str, tuple[str, ...]]

    def shown(self, trait: str | None) -> list[str]:
        """Return the files of one trait, or of all of them."""
        return [file for name, files in self.files.items() if trait in (name, None) for file in files]


def map_of(view: str) -> str:
    """Return the name of the map of a view, which shows in one colour what comes from one folder."""
    return f"{view}_map"


def compose(artwork: Artwork, *, images: int, seed: int) -> Arrays:
    """Compose random characters.

    The arrays are, each for `train_` and `test_`: `images` (N, H, W, 3) and the other views, `labels` (N,), `traits`
    (N, T), the number of the choice for each trait that the images show, and `captions` (N,); also `classes`, the names
    of the labels, `trait_names`, and `<trait>_names` for each of these traits. The test set is a fifth as large,
    without the characters that look like one of the training set.

    Raises:
        UsageError: the layers do not yield that many characters.
        Failure: a layer is not an image of the artwork's size.
    """
    characters = _draw(artwork, images + images // (TEST_SHARE - 1), np.random.default_rng(seed))
    names = _names(artwork)
    traits = np.array([[choices.index(one.traits[trait]) for trait, choices in names.items()] for one in characters])
    columns = {
        **_images(artwork, characters),
        "labels": traits[:, list(names).index(artwork.label)],
        "traits": traits,
        "captions": np.array([artwork.caption(one.traits) for one in characters]),
    }
    arrays = {f"train_{name}": column[:images] for name, column in columns.items()}
    arrays |= {f"test_{name}": column[images:] for name, column in columns.items()}
    arrays = unseen(arrays, [view for view in artwork.views if view not in artwork.alone])
    arrays |= {f"{trait}_names": np.array(choices) for trait, choices in names.items()}
    return arrays | {"classes": np.array(names[artwork.label]), "trait_names": np.array(list(names))}


def _names(artwork: Artwork) -> dict[str, tuple[str, ...]]:
    """Return the choices for each trait that the images show, over all wardrobes."""
    return {
        trait: tuple(dict.fromkeys(name for wardrobe in artwork.wardrobes for name in wardrobe[trait]))
        for trait in artwork.traits
    }


def _draw(artwork: Artwork, count: int, random: np.random.Generator) -> list[Character]:
    """Draw `count` different characters, equally many from each wardrobe."""
    sizes = np.array([[len(choices) for choices in wardrobe.values()] for wardrobe in artwork.wardrobes])
    wardrobes = random.integers(len(sizes), size=2 * count)
    choices = random.integers(sizes[wardrobes])
    different = np.unique(np.column_stack([wardrobes, choices]), axis=0)
    if len(different) < count:
        total = sizes.prod(axis=1).sum()
        raise UsageError(f"these layers make only {total:,} characters; use a lower --images, below half of that")
    return [_character(artwork.wardrobes[row[0]], row[1:]) for row in random.permutation(different)[:count]]


def _character(wardrobe: Wardrobe, choices: NDArray[np.int64]) -> Character:
    traits = {trait: list(wardrobe[trait])[index] for trait, index in zip(wardrobe, choices, strict=True)}
    files = {
        trait: tuple(Template(file).safe_substitute(traits) for file in wardrobe[trait][name])
        for trait, name in traits.items()
    }
    return Character(traits, files)


def _images(artwork: Artwork, characters: Sequence[Character]) -> dict[str, NDArray[np.uint8]]:
    """Return the RGB images (N, H, W, 3) of each view: the layers composed on white."""
    layers = functools.cache(functools.partial(_layer, artwork))
    arrays = {
        view: np.empty((len(characters), bottom - top, right - left, 3), np.uint8)
        for view, (left, top, right, bottom) in artwork.boxes.items()
    }
    for number, character in enumerate(progress.track(characters, "composing", len(characters))):
        for view, images in arrays.items():
            canvas = Image.new("RGBA", images.shape[2:0:-1], "white")
            for file in character.shown(artwork.alone.get(view)):
                canvas.alpha_composite(layers(file)[view])
            images[number] = np.asarray(canvas.convert("RGB"))
    return arrays


def _layer(artwork: Artwork, file: str) -> dict[str, Image.Image]:
    """Return a file's part for each view."""
    name, _, hue = file.partition("?hue=")
    path = artwork.folder / name
    try:
        with Image.open(path) as image:
            layer = image.convert("RGBA")
    except (OSError, SyntaxError) as error:  # Pillow calls a damaged PNG file a syntax error
        raise Failure(f"{path} is not a readable image ({getattr(error, 'strerror', None) or error})") from None
    if layer.size != artwork.file_size:
        sizes = "{}x{}, not {}x{}".format(*layer.size, *artwork.file_size)
        raise Failure(f"{path} is not a layer of this artwork: it has {sizes} pixels")
    layer = dyed(layer, int(hue)) if hue else layer
    crops = {view: layer.crop(box) for view, box in artwork.views.items()}
    if not artwork.paints:
        return crops
    colour = artwork.paints[file.partition("/")[0]]
    return crops | {map_of(view): _painted(crop, colour) for view, crop in crops.items()}


def _painted(layer: Image.Image, colour: Colour) -> Image.Image:
    """Return a layer in one colour, without its half-transparent edges and shadows."""
    flat = Image.new("RGBA", layer.size, colour)
    flat.putalpha(layer.getchannel("A").point(lambda alpha: 255 if alpha >= OPAQUE else 0))
    return flat


def dyed(layer: Image.Image, hue: int) -> Image.Image:
    """Return an RGBA layer with every colour of a hue in degrees and of middle saturation, as bright as before."""
    _, saturation, value = layer.convert("RGB").convert("HSV").split()
    hues = Image.new("L", layer.size, round(hue * 256 / 360))
    saturation = saturation.point(lambda level: min(max(level, MIDDLE[0]), MIDDLE[1]))
    colours = Image.merge("HSV", (hues, saturation, value)).convert("RGB")
    colours.putalpha(layer.getchannel("A"))
    return colours
