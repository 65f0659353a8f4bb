"""Load a data set into memory by name, or from a file or a folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gan_serve.class_names import number_in
from gan_serve.errors import Failure, UsageError, readable
from training.data.catalog import SOURCES, STACKED_MNIST
from training.data.from_arrays import held_out_split, make_dataset, read_npz, with_views
from training.data.from_folder import read_folder
from training.data.reading import listed
from training.data.stacked import stacked
from training.data.two_sets import layouts, read_two_sets

if TYPE_CHECKING:
    import torch

    from gan_serve.images.pixels import Pixels
    from training.data.dataset import Dataset

Split = Literal["train", "test"]


def load(
    source: str, split: Split = "train", image_size: int = 28, views: Sequence[str] = (), *, pairs: bool = True
) -> Dataset:
    """Load a known data set, an `.npz` file, or a folder with a subfolder of images per class.

    A known data set is searched for as `NAME.npz` and as the folder `NAME` in the folder `$GAN_SERVE_DATA`, then on the
    Hugging Face hub. A folder may have the parts `train` and `test`; its images are resized to squares of `image_size`,
    or of the known data set's size; transparent pixels become white. If there is no test part, a fixed sixth of the
    images is held out for the test. The classes are those of the training part.

    Views are other images: `train_side_images` for the view `side` in an `.npz` file, or the folder A next to B. They
    show the same objects, unless `pairs` is False.

    Raises:
        UsageError: there is no such data set.
        Failure: the data cannot be used, with the reason.
    """
    if source == STACKED_MNIST:
        return stacked(load("mnist", split))
    path = _on_disk(source) if source in SOURCES else Path(source)
    if path.is_dir() and views:
        dataset = _from_two_sets(path, split, image_size, *views, pairs=pairs)
    elif path.is_dir():
        dataset = _from_folder(path, split, image_size)
    elif path.suffix.lower() == ".npz" and path.is_file():
        dataset = read_npz(path, split, views, pairs=pairs)
    elif source in SOURCES:
        dataset = _from_hub(source, split)
    else:
        known = ", ".join([*SOURCES, STACKED_MNIST])
        raise UsageError(f"no data {source!r}; use one of {known}, an .npz file or a folder of images")
    return _checked(dataset, views, pairs=pairs)


def _on_disk(name: str) -> Path:
    folder = Path(os.environ.get("GAN_SERVE_DATA", ""))
    file = folder / f"{name}.npz"
    composed = not SOURCES[name].hub  # a folder of that name is the artwork, not the images composed from it
    return file if composed or file.is_file() else folder / name


def _from_hub(name: str, split: Split) -> Dataset:
    source = SOURCES[name]
    if source.file:
        raise Failure(
            f"{name} is not here: download {source.file}, and set GAN_SERVE_DATA to the folder that contains it"
        )
    if not source.hub:
        raise Failure(
            f"{name} must be prepared first: run python -m training prepare {name} FOLDER; then use the new file as "
            f"--data, or set GAN_SERVE_DATA to the folder that contains {name}.npz"
        )
    try:
        import datasets

        # An error is reported below, in one line instead of one line per attempt.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        table = datasets.load_dataset(source.hub, split=split)
    except Exception as error:  # the library raises many kinds, most of them from the network layer below it
        raise Failure(
            f"cannot get {name} from the Hugging Face hub ({type(error).__name__}); "
            f"go online, or set GAN_SERVE_DATA to a folder that contains {name}.npz or the image folder {name}"
        ) from error
    return make_dataset(name, _stack(table[source.image]), np.asarray(table["label"]), source.classes)


def _stack(images: Any) -> Pixels:
    return np.stack([np.asarray(image) for image in images])


def _from_folder(path: Path, split: Split, image_size: int) -> Dataset:
    name = path.absolute().name
    known = SOURCES.get(name)
    with readable(path):
        found = read_folder(path, split, known.size if known else image_size, known.classes if known else ())
    dataset = make_dataset(name, found.images, found.labels, found.classes)
    return dataset if found.has_test else held_out_split(dataset, split)


def _from_two_sets(path: Path, split: Split, image_size: int, view: str, *, pairs: bool) -> Dataset:
    with readable(path):
        found = read_two_sets(path, split, image_size, view, pairs=pairs)
    name = path.absolute().name
    both = [make_dataset(name, found.images), make_dataset(f"{name} ({view})", found.views)]
    dataset, other = both if found.has_test else (held_out_split(each, split) for each in both)
    return with_views(dataset, {view: other}, pairs=found.pairs)


def _checked(dataset: Dataset, views: Sequence[str], *, pairs: bool) -> Dataset:
    count = len(dataset.images)
    if count < 2:
        raise Failure(f"{dataset.name}: has {count} image(s); a GAN learns a distribution and needs many images")
    if dataset.tensor is None:
        _check_square(dataset)
    for view in views:
        if view not in dataset.views or not _fits(dataset, dataset.views[view]):
            raise Failure(f"{dataset.name}: {layouts(view, pairs=pairs)}")
    _check_names(dataset.name, dataset.classes)
    low, high = int(dataset.labels.min()), int(dataset.labels.max())
    if low < 0 or high >= len(dataset.classes):
        raise Failure(f"{dataset.name}: labels run from {low} to {high}, but there are {len(dataset.classes)} classes")
    return dataset


def _check_square(dataset: Dataset) -> None:
    _, channels, height, width = dataset.images.shape
    if channels not in (1, 3) or height != width:
        raise Failure(
            f"{dataset.name}: images are {height}x{width} with {channels} channels; use square grey or RGB images"
        )


def _fits(dataset: Dataset, view: torch.Tensor) -> bool:
    """Return whether a view's images have the data set's shape and, for pairs, its number."""
    if dataset.pairs:
        return view.shape == dataset.images.shape
    return len(view) > 1 and view.shape[1:] == dataset.images.shape[1:]


def _check_names(name: str, classes: Sequence[str]) -> None:
    """Refuse classes that have the same name or number."""
    numbers = [number_in(each) for each in classes]
    keys: Sequence[object] = classes if None in numbers else numbers
    if len(set(keys)) < len(keys):
        twice = [each for each, key in zip(classes, keys, strict=True) if keys.count(key) > 1]
        raise Failure(f"{name}: the classes {listed(twice)} have the same name or number; rename all but one")
