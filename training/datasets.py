"""A name, a file or a folder -> images in memory."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from gan_serve.errors import Failure, UsageError
from gan_serve.pictures import fit, read_picture
from gan_serve.pixels import Pixels
from training.dataset import Dataset, Traits
from training.prepare.arrays import TEST_SHARE
from training.sources import SOURCES, STACKED_MNIST
from training.stacking import stacked

Split = Literal["train", "test"]


def load(source: str, split: Split = "train", image_size: int = 28, views: Sequence[str] = ()) -> Dataset:
    """A known name, an `.npz` file, or a folder with a subfolder of images per class.

    A known name is looked for as `NAME.npz` and as the folder `NAME` in the folder `$GAN_SERVE_DATA`, then on the
    Hugging Face hub. A folder may have the parts `train` and `test`. Its images are resized to squares of `image_size`,
    or of the size that a known name has; transparency becomes white. Views are other pictures of the same things, in an
    `.npz` file: `train_side_images` for the view `side`. Of data without a test part, every time the same sixth of the
    images is for the test, and the others are to train on.

    Raises:
        UsageError: no such data set.
        Failure: the data cannot be used, with the reason.
    """
    if source == STACKED_MNIST:
        return stacked(load("mnist", split))
    path = _on_disk(source) if source in SOURCES else Path(source)
    if path.is_dir():
        dataset = _from_folder(path, split, image_size)
    elif path.suffix == ".npz" and path.is_file():
        dataset = _from_npz(path, split, views)
    elif source in SOURCES:
        dataset = _from_hub(source, split)
    else:
        known = ", ".join([*SOURCES, STACKED_MNIST])
        raise UsageError(f"no data {source!r}; use one of {known}, an .npz file or a folder of images")
    return _checked(dataset, views)


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
    return _dataset(name, _stack(table[source.image]), np.asarray(table["label"]), source.classes)


def _stack(images: Any) -> Pixels:
    return np.stack([np.asarray(image) for image in images])


def _from_npz(path: Path, split: Split, views: Sequence[str]) -> Dataset:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            prefix = _prefix(split, arrays)
            separate = "test_images" in arrays
            images = arrays[f"{prefix}images"]
            labels = arrays[f"{prefix}labels"] if f"{prefix}labels" in arrays else np.zeros(len(images), np.int64)
            classes = tuple(map(str, arrays["classes"])) if "classes" in arrays else ()
            traits = _traits(path.stem, arrays, prefix, len(images)) if "trait_names" in arrays else None
            others = {view: arrays[f"{prefix}{view}_images"] for view in views if f"{prefix}{view}_images" in arrays}
            photos = _photos(arrays) if split == "test" and "photo_sets" in arrays else {}
    except KeyError:
        raise Failure(f"{path}: holds no array `{split}_images` or `images`") from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise Failure(f"{path}: not a readable .npz file of plain arrays ({error})") from None
    if path.stem in SOURCES and not classes:
        classes = SOURCES[path.stem].classes
    dataset = _dataset(path.stem, images, labels, classes, traits)
    pictures = {view: _viewed(path, view, other) for view, other in others.items()}
    dataset = replace(dataset, photos=photos, views=pictures)
    return dataset if separate else _share(dataset, split)


def _prefix(split: Split, arrays: Mapping[str, NDArray[Any]]) -> str:
    """What stands before the names of the arrays to take a part from; for the test, these may be those of training."""
    prefixes = ("test_", "train_", "") if split == "test" else ("train_", "")
    return next((prefix for prefix in prefixes if f"{prefix}images" in arrays), f"{split}_")


def _share(dataset: Dataset, split: Split) -> Dataset:
    """The images of data in one part that are for the test, or the others."""
    count = len(dataset.images)
    # Another seed than that of a folder's order, which would hold out its first classes.
    held_out = torch.from_numpy(np.random.default_rng(1).permutation(count) < count // TEST_SHARE)
    if split == "test" and count < 2 * TEST_SHARE:
        raise Failure(
            f"{dataset.name}: has no test part, and {count} images are too few to hold some out; give it a test part, "
            f"or {2 * TEST_SHARE} images or more"
        )
    part = dataset.rows(held_out if split == "test" else ~held_out)
    return replace(part, held_out=count // TEST_SHARE)


def _viewed(path: Path, view: str, images: NDArray[Any]) -> torch.Tensor:
    """Another picture of each image, as the images are kept."""
    return _dataset(f"{path.stem} ({view})", images, np.zeros(len(images), np.int64), ()).images


def _photos(arrays: Mapping[str, NDArray[Any]]) -> dict[str, tuple[torch.Tensor, ...]]:
    """The whole photos of each set, in the order of their names."""
    return {
        str(name): tuple(_channels_first(arrays[key])[0] for key in sorted(arrays) if key.startswith(f"{name}_"))
        for name in arrays["photo_sets"]
    }


def _channels_first(pixels: NDArray[Any]) -> torch.Tensor:
    """Pixels ([N, ]H, W, C) -> (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.reshape(-1, *pixels.shape[-3:]).transpose(0, 3, 1, 2)))


def _traits(name: str, arrays: Mapping[str, NDArray[Any]], prefix: str, count: int) -> Traits:
    """What `prepare` has written beside the images."""
    choices = {str(trait): tuple(map(str, arrays.get(f"{trait}_names", ()))) for trait in arrays["trait_names"]}
    values = arrays.get(f"{prefix}traits", np.empty(0))
    sizes = np.array([len(names) for names in choices.values()])
    fitting = np.issubdtype(values.dtype, np.integer) and values.shape == (count, len(sizes))
    if not fitting or (values < 0).any() or (values >= sizes).any():
        raise Failure(
            f"{name}: `{prefix}traits` does not number a choice of each of {', '.join(choices)} for each image"
        )
    return Traits(torch.from_numpy(values.astype(np.int64)), choices)


def _from_folder(path: Path, split: Split, image_size: int) -> Dataset:
    name = path.absolute().name
    size = SOURCES[name].size if name in SOURCES else image_size
    parts = [part for part in ("train", "test") if (path / part).is_dir()]
    if parts == ["test"]:
        raise Failure(f"{path}: has the part test without the part train; put the images to train on into {path}/train")
    folder = path / (split if split in parts else "train" if parts else "")
    classes = _subfolders(folder, SOURCES[name].classes if name in SOURCES else ())
    pictures: list[Pixels] = []
    labels: list[int] = []
    unreadable: list[str] = []
    for label, subfolder in enumerate([folder / part for part in classes] or [folder]):
        for file in sorted(part for part in subfolder.iterdir() if part.is_file() and not part.name.startswith(".")):
            try:
                pictures.append(fit(read_picture(file, str(file)), size, size, 3))
                labels.append(label)
            except Failure:
                unreadable.append(str(file.relative_to(folder)))
    if unreadable:
        warnings.warn(f"{folder}: left out {len(unreadable)} unreadable files: {_listed(unreadable)}", stacklevel=2)
    if not pictures:
        raise Failure(f"{folder}: no readable images; put them into one subfolder per class")
    # In an order of their own: the first thousands, which a score compares, are of every class.
    order = np.random.default_rng(0).permutation(len(pictures))
    images = np.stack(pictures)[order]
    if (images == images[..., :1]).all():
        images = images[..., 0]  # grey throughout
    dataset = _dataset(name, images, np.array(labels)[order], classes or ("image",))
    return dataset if "test" in parts else _share(dataset, split)


def _subfolders(folder: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the subfolders; where the classes are known, those in their order."""
    found = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    if classes and found != set(classes):
        wrong = _listed(sorted(found ^ set(classes)))
        raise Failure(f"{folder}: has not one subfolder for each of {', '.join(classes)}; what differs: {wrong}")
    return classes or tuple(sorted(found))


def _listed(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _dataset(
    name: str,
    images: NDArray[Any],
    labels: NDArray[Any],
    classes: tuple[str, ...],
    traits: Traits | None = None,
) -> Dataset:
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise Failure(f"{name}: images are {images.dtype} of shape {images.shape}, not uint8 (N, H, W) or (N, H, W, C)")
    if images.ndim == 3:
        images = images[..., None]
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise Failure(f"{name}: {len(images)} images need as many integer labels, not {labels.dtype} {labels.shape}")
    if not classes:
        classes = tuple(map(str, range(int(labels.max(initial=0)) + 1)))
    source = SOURCES.get(name)
    return Dataset(
        name=name,
        images=_channels_first(images),
        labels=torch.from_numpy(labels.astype(np.int64)),
        classes=classes,
        license=source.license if source else "unknown; the user's own data",
        attribution=source.attribution if source else name,
        traits=traits,
    )


def _checked(dataset: Dataset, views: Sequence[str]) -> Dataset:
    count, channels, height, width = dataset.images.shape
    if count < 2:
        raise Failure(f"{dataset.name}: {count} image(s); a GAN learns a distribution and needs many")
    if channels not in (1, 3) or height != width:
        raise Failure(
            f"{dataset.name}: images are {height}x{width} with {channels} channels; use square, grey or RGB ones"
        )
    for view in views:
        if view not in dataset.views or dataset.views[view].shape != dataset.images.shape:
            raise Failure(
                f"{dataset.name}: needs pairs, an .npz file in which `train_{view}_images` has a picture for each of "
                "`train_images`, of the same shape, and likewise for `test_`"
            )
    low, high = int(dataset.labels.min()), int(dataset.labels.max())
    if low < 0 or high >= len(dataset.classes):
        raise Failure(f"{dataset.name}: labels run from {low} to {high}, but there are {len(dataset.classes)} classes")
    return dataset
