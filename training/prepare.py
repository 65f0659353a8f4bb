"""Data sets that are composed: characters from layers of pixel art, with captions and traits."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from gan_serve.errors import Failure, UsageError
from gan_serve.media import write_atomic

Pixels = NDArray[np.uint8]
TEST_SHARE = 6  # one image in six is for the test

# The folders of the nouns' artwork from back to front, and what a layer of each is called.
NOUNS = {
    "background": "0-backgrounds",
    "body": "1-bodies",
    "accessory": "2-accessories",
    "head": "3-heads",
    "glasses": "4-glasses",
}
NOUNS_LABEL = "head"  # the trait that says most of a picture


@dataclass(frozen=True)
class Layers:
    """The layers that can be chosen for one trait: RGBA pictures (K, H, W, 4) and their names."""

    pictures: Pixels
    names: tuple[str, ...]


def nouns(source: Path, target: Path, *, images: int, seed: int) -> None:
    """Compose Nouns at random from the folder of their layers, and write them as an `.npz` file.

    The file holds, each for `train_` and `test_`: `images` (N, 32, 32, 3), `labels` (N,), the head; `traits` (N, 5),
    the layer chosen for each trait, and `captions` (N,). Beside them stand `classes`, the names of the heads,
    `trait_names`, and `<trait>_names` for each trait. No character of the test set is in the training set.

    Raises:
        UsageError: the folder has no such layers, or too many images are asked for.
        Failure: a layer is not a picture of the usual size.
    """
    layers = {trait: _read(_folder(source, name)) for trait, name in NOUNS.items()}
    traits = _draw(layers, images + images // (TEST_SHARE - 1), np.random.default_rng(seed))
    pictures = np.stack(list(track(_compose(layers, traits), "composing", total=len(traits), transient=True)))
    captions = np.array([_caption(layers, row) for row in traits])
    labels = traits[:, list(NOUNS).index(NOUNS_LABEL)]
    arrays: dict[str, NDArray[np.generic]] = {"classes": np.array(layers[NOUNS_LABEL].names)}
    for split, part in (("train", slice(images)), ("test", slice(images, None))):
        arrays |= {f"{split}_images": pictures[part], f"{split}_labels": labels[part]}
        arrays |= {f"{split}_traits": traits[part], f"{split}_captions": captions[part]}
    arrays["trait_names"] = np.array(list(NOUNS))
    arrays |= {f"{trait}_names": np.array(layer.names) for trait, layer in layers.items()}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_atomic(target, content.getvalue())


def _folder(source: Path, name: str) -> Path:
    found = sorted(path for path in source.rglob(name) if path.is_dir()) if source.is_dir() else []
    if not found:
        needed = ", ".join(NOUNS.values())
        raise UsageError(f"{source} holds no folder {name}; give the folder of the nouns' layers: {needed}")
    return found[0]


def _read(folder: Path) -> Layers:
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise UsageError(f"{folder} holds no .png files")
    pictures = []
    for path in paths:
        try:
            with Image.open(path) as image:
                pictures.append(np.asarray(image.convert("RGBA")))
        except OSError as error:
            raise Failure(f"{path} is not a readable picture ({error})") from None
        if pictures[-1].shape != pictures[0].shape:
            raise Failure(f"{path} is not of the same size as {paths[0].name}")
    return Layers(np.stack(pictures), tuple(path.stem.partition("-")[2].replace("-", " ") for path in paths))


def _draw(layers: dict[str, Layers], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """As many different characters: the layer of each trait, (N, traits)."""
    sizes = [len(layer.names) for layer in layers.values()]
    if count > np.prod(sizes) // 2:
        raise UsageError(f"these layers make {np.prod(sizes):,} characters; ask for fewer than half of them")
    drawn = np.unique(random.integers(sizes, size=(2 * count, len(sizes))), axis=0)
    return random.permutation(drawn)[:count]


def _compose(layers: dict[str, Layers], traits: NDArray[np.int64]) -> Iterator[Pixels]:
    """RGB pictures (H, W, 3), the layers one upon the other."""
    for row in traits:
        pictures = [layer.pictures[index] for layer, index in zip(layers.values(), row, strict=True)]
        canvas = Image.fromarray(pictures[0])
        for picture in pictures[1:]:
            canvas.alpha_composite(Image.fromarray(picture))
        yield np.asarray(canvas.convert("RGB"))


def _caption(layers: dict[str, Layers], row: NDArray[np.int64]) -> str:
    background, body, accessory, head, glasses = (
        layer.names[index] for layer, index in zip(layers.values(), row, strict=True)
    )
    return f"a character with the head {head}, {glasses} glasses, a {body} body and {accessory}, on {background} ground"
