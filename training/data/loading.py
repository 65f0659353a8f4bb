"""A name, a file or a folder -> images in memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gan_serve.class_names import number_in
from gan_serve.errors import Failure, UsageError
from training.data.catalog import SOURCES, STACKED_MNIST
from training.data.from_arrays import make_dataset, read_npz, share, with_views
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
    """A known name, an `.npz` file, or a folder with a subfolder of images per class.

    A known name is looked for as `NAME.npz` and as the folder `NAME` in the folder `$GAN_SERVE_DATA`, then on the
    Hugging Face hub. A folder may have the parts `train` and `test`; its images are resized to squares of `image_size`,
    or of the size that a known name has; transparency becomes white. Of data without a test part, every time the same
    sixth of the images is for the test, and the others are to train on. Classes are those of the images to train on.

    Views are other images: `train_side_images` for the view `side` in an `.npz` file, or the folder A beside B. Unless
    a game needs no `pairs`, they show the same things.

    Raises:
        UsageError: no such data set.
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
    composed = not SOURCES[name].hub  # a folder of that name is the artwork, and no images yet
    return file if composed or file.is_file() else folder / name


def _from_hub(name: str, split: Split) -> Dataset:
    source = SOURCES[name]
    if not source.hub:
        raise Failure(
            f"{name} is made of files: python -m training prepare {name} FOLDER; then use its file as the data, or set "
            f"GAN_SERVE_DATA to the folder that holds {name}.npz"
        )
    try:
        import datasets

        # What goes wrong is told below, in one line instead of one for each try.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        table = datasets.load_dataset(source.hub, split=split)
    except Exception as error:  # the library raises many kinds, most of them from the network layer below it
        raise Failure(
            f"cannot get {name} from the Hugging Face hub ({type(error).__name__}); "
            f"go online, or set GAN_SERVE_DATA to a folder that holds {name}.npz or its images as the folder {name}"
        ) from error
    return make_dataset(name, _stack(table[source.image]), np.asarray(table["label"]), source.classes)


def _stack(images: Any) -> Pixels:
    return np.stack([np.asarray(image) for image in images])


def _from_folder(path: Path, split: Split, image_size: int) -> Dataset:
    name = path.absolute().name
    known = SOURCES.get(name)
    with _told(path):
        found = read_folder(path, split, known.size if known else image_size, known.classes if known else ())
    dataset = make_dataset(name, found.images, found.labels, found.classes)
    return dataset if found.has_test else share(dataset, split)


def _from_two_sets(path: Path, split: Split, image_size: int, view: str, *, pairs: bool) -> Dataset:
    with _told(path):
        found = read_two_sets(path, split, image_size, view, pairs=pairs)
    name = path.absolute().name
    both = [make_dataset(name, found.images), make_dataset(f"{name} ({view})", found.views)]
    dataset, other = both if found.has_test else (share(each, split) for each in both)
    return with_views(dataset, {view: other}, pairs=found.pairs)


def _checked(dataset: Dataset, views: Sequence[str], *, pairs: bool) -> Dataset:
    count, channels, height, width = dataset.images.shape
    if count < 2:
        raise Failure(f"{dataset.name}: {count} image(s); a GAN learns a distribution and needs many")
    if channels not in (1, 3) or height != width:
        raise Failure(
            f"{dataset.name}: images are {height}x{width} with {channels} channels; use square, grey or RGB ones"
        )
    for view in views:
        if view not in dataset.views or not _goes_with(dataset, dataset.views[view]):
            raise Failure(f"{dataset.name}: {layouts(view, pairs=pairs)}")
    _check_names(dataset.name, dataset.classes)
    low, high = int(dataset.labels.min()), int(dataset.labels.max())
    if low < 0 or high >= len(dataset.classes):
        raise Failure(f"{dataset.name}: labels run from {low} to {high}, but there are {len(dataset.classes)} classes")
    return dataset


def _goes_with(dataset: Dataset, view: torch.Tensor) -> bool:
    """Whether it has images of the same shape, and where they are pairs as many."""
    if dataset.pairs:
        return view.shape == dataset.images.shape
    return len(view) > 1 and view.shape[1:] == dataset.images.shape[1:]


def _check_names(name: str, classes: Sequence[str]) -> None:
    """Refuse classes that a number, or a name, does not tell apart."""
    numbers = [number_in(each) for each in classes]
    keys: Sequence[object] = classes if None in numbers else numbers
    if len(set(keys)) < len(keys):
        twice = [each for each, key in zip(classes, keys, strict=True) if keys.count(key) > 1]
        raise Failure(f"{name}: the classes {listed(twice)} are one and the same by name or number; rename all but one")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A folder that cannot be read is told in one line."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{error.filename or path}: cannot be read ({error.strerror})") from None
