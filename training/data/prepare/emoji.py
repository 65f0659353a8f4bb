"""Pairs of emoji of 64x64 pixels: EmojiTwo's line art and colours, or EmojiTwo's and Noto's styles."""

import json
from pathlib import Path

import numpy as np

from gan_serve.errors import Failure
from training.data.prepare.arrays import Arrays, find_folder, held_out, images_in, rgb, split, unseen

SIZE = 64  # the size of the line art, the smallest of the sets


def lines(source: Path, seed: int) -> Arrays:
    """Return EmojiTwo's emoji in colour in `images`, and as line art in `line_images`.

    Raises:
        UsageError: the folder has no such images.
        Failure: one of them, or the list of names, is not readable.
    """
    line_art = {path.stem: path for path in images_in(find_folder(source, "png_bw"), "png")}
    return _paired(source, "line", line_art, seed)


def styles(source: Path, seed: int) -> Arrays:
    """Return EmojiTwo's emoji in `images`, and Noto's of the same meaning in `noto_images`; raises as `lines` does."""
    files = images_in(find_folder(source, "noto-emoji-72x72-color"), "png")
    noto = {path.stem.removeprefix("emoji_u").replace("_", "-"): path for path in files}
    return _paired(source, "noto", noto, seed)


def _paired(source: Path, view: str, others: dict[str, Path], seed: int) -> Arrays:
    """Pair EmojiTwo's emoji with those of another set; files are named by code points.

    Emoji that begin with the same code point, such as the skin colours of a person, are all in the training set or all
    in the test set; no image of the test set is also in the training set.
    """
    folder = find_folder(source, "png/128")
    categories = _categories(folder.parents[1] / "emoji.json")
    emoji = {path.stem: path for path in images_in(folder, "png") if path.stem in others}
    classes, labels = np.unique([categories.get(name) or "other" for name in emoji], return_inverse=True)
    columns: Arrays = {
        "images": np.stack([rgb(path, SIZE) for path in emoji.values()]),
        f"{view}_images": np.stack([rgb(others[name], SIZE) for name in emoji]),
        "labels": labels,
        "captions": np.array(list(emoji)),
    }
    test = held_out([name.partition("-")[0] for name in emoji], seed)
    return unseen(split(columns, test, seed), ["images", f"{view}_images"]) | {"classes": classes}


def _categories(path: Path) -> dict[str, str]:
    try:
        return {name: emoji["category"] for name, emoji in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(f"{path} is not EmojiTwo's list of emoji ({error})") from None
