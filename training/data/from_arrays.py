"""Make a data set of arrays, from an `.npz` file or in memory."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from gan_serve.errors import Failure
from gan_serve.schema import decode
from gan_serve.tensors import OutputTensor
from training import distributed
from training.data.catalog import SOURCES
from training.data.dataset import Dataset, Traits
from training.data.labels import checked_labels, named_by_numbers
from training.data.layouts import PARTS
from training.data.prepare.arrays import TEST_SHARE

Array = NDArray[Any]
_KINDS = {"images": "x", "labels": "y"}  # and Keras's names for them
_OTHER_NAMES = {
    other: f"{part}_{kind}"
    for part, names in PARTS.items()
    for name in names
    for kind, letter in _KINDS.items()
    for other in (f"{name}_{kind}", f"{letter}_{name}")
}


@dataclass(frozen=True)
class _Described:
    tensor: OutputTensor


class Arrays(Mapping[str, Array]):
    """The arrays of a file by the names used here, each read on access."""

    def __init__(self, file: NpzFile) -> None:
        self.file = file
        self.names = {_OTHER_NAMES.get(name.lower(), name): name for name in file.files}

    def __getitem__(self, name: str) -> Array:
        array: Array = self.file[self.names[name]]
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def read_npz(path: Path, split: str, views: Sequence[str], *, pairs: bool = True) -> Dataset:
    """Read one split of a file, with those of the views that it has.

    Without a test part, a sixth of the images is held out for the test.

    Raises:
        Failure: the file is not readable, or its arrays do not fit together.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            arrays = Arrays(loaded)
            prefix, separate = _prefix(split, arrays), bool({"test_images", "val_images"} & arrays.keys())
            images, tensor = arrays[f"{prefix}images"], _kind(arrays)
            labels, classes = _labels(path.stem, arrays, prefix, len(images))
            traits = _traits(path.stem, arrays, prefix, len(images)) if "trait_names" in arrays else None
            columns = _columns(path.stem, arrays, prefix, len(images))
            others = {view: arrays[f"{prefix}{view}_images"] for view in views if f"{prefix}{view}_images" in arrays}
            photos = _photos(arrays) if split == "test" and "photo_sets" in arrays else {}
            _warn_of_unused(path, arrays)
    except KeyError:
        raise Failure(f"{path}: contains no array `{split}_images` or `images`") from None
    except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
        raise Failure(f"{path}: not a readable .npz file of plain arrays ({error})") from None
    dataset = replace(make_dataset(path.stem, images, labels, classes, traits, tensor), photos=photos, columns=columns)
    sets = {view: make_dataset(f"{path.stem} ({view})", other) for view, other in others.items()}
    if not separate:
        dataset = held_out_split(dataset, split)
        sets = {view: held_out_split(each, split) for view, each in sets.items()}
    return with_views(dataset, sets, pairs=pairs or all(len(each) == len(images) for each in others.values()))


def make_dataset(
    name: str,
    images: Array,
    labels: Array | None = None,
    classes: tuple[str, ...] = ("image",),
    traits: Traits | None = None,
    tensor: OutputTensor | None = None,
) -> Dataset:
    """Check images (N, H, W[, C]) and the numbers of their classes; without labels, all images are of one class.

    With `tensor`, the examples (N, ...) are of that kind instead.

    Raises:
        Failure: the images or labels have another shape or type.
    """
    source = SOURCES.get(name)
    return Dataset(
        name=name,
        images=_examples(name, images, tensor) if tensor else _image_tensor(name, images),
        labels=torch.from_numpy(checked_labels(name, labels, len(images))),
        classes=classes,
        license=source.license if source else "unknown; the user's own data",
        attribution=source.attribution if source else name,
        traits=traits,
        tensor=tensor,
    )


def with_views(dataset: Dataset, sets: Mapping[str, Dataset], *, pairs: bool) -> Dataset:
    """Return the data set with other sets of images as its views."""
    return replace(dataset, views={view: each.images for view, each in sets.items()}, pairs=pairs)


def held_out_split(dataset: Dataset, split: str) -> Dataset:
    """Divide data without a test part: return the images held out for the test, or the others.

    Raises:
        Failure: there are too few images to hold some out.
    """
    count = len(dataset.images)
    # The seed differs from that of a folder's order; the same one would hold out the folder's first classes.
    held_out = torch.from_numpy(np.random.default_rng(1).permutation(count) < count // TEST_SHARE)
    if split == "test" and count < 2 * TEST_SHARE:
        raise Failure(
            f"{dataset.name}: has no test part, and {count} images are too few to hold some out; add a test part, "
            f"or use at least {2 * TEST_SHARE} images"
        )
    part = dataset.rows(held_out if split == "test" else ~held_out)
    return replace(part, held_out=count // TEST_SHARE)


def _prefix(split: str, arrays: Arrays) -> str:
    """Return the prefix of the arrays' names for a split; the test may use those of the training part."""
    prefixes = ("test_", "val_", "train_", "") if split == "test" else ("train_", "")
    return next((prefix for prefix in prefixes if f"{prefix}images" in arrays), f"{split}_")


def _warn_of_unused(path: Path, arrays: Arrays) -> None:
    if {"test_images", "val_images"} <= arrays.keys() and distributed.rank() == 0:
        count = len(arrays["val_images"])
        warnings.warn(
            f"{path}: skipped {count} validation images, since the test part is used for the scores", stacklevel=2
        )


def _labels(name: str, arrays: Arrays, prefix: str, count: int) -> tuple[Array, tuple[str, ...]]:
    """Return a part's labels and the classes of all parts: their names, or the numbers in the training part."""
    first = "train_" if "train_images" in arrays else ""
    train = checked_labels(name, arrays.get(f"{first}labels"), len(arrays[f"{first}images"]))
    labels = checked_labels(name, arrays.get(f"{prefix}labels"), count)
    known = SOURCES[name].classes if name in SOURCES else ()
    classes = tuple(map(str, arrays["classes"])) if "classes" in arrays else known
    if classes:
        return labels, classes
    test = _prefix("test", arrays)
    named_by_numbers(name, checked_labels(name, arrays.get(f"{test}labels"), len(arrays[f"{test}images"])), train)
    return named_by_numbers(name, labels, train)


def _examples(name: str, values: Array, tensor: OutputTensor) -> torch.Tensor:
    """Return examples of another kind than images, uint8 or float32 (N, ...)."""
    if values.shape[1:] != tensor.shape or values.dtype not in (np.uint8, np.float32):
        raise Failure(
            f"{name}: each example is {values.dtype} of shape {values.shape[1:]}, but the description of its kind, "
            f"{tensor.kind}, needs uint8 or float32 of shape {tensor.shape}"
        )
    return torch.from_numpy(values)


def _kind(arrays: Arrays) -> OutputTensor | None:
    """Return the kind of the examples, which the file describes in JSON if they are not images."""
    return decode(_Described, {"tensor": json.loads(str(arrays["tensor"]))}).tensor if "tensor" in arrays else None


def _image_tensor(name: str, images: Array) -> torch.Tensor:
    _check_images(name, images)
    return _channels_first(images[..., None] if images.ndim == 3 else images)


def _check_images(name: str, images: Array) -> None:
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        remedy = (
            "; values from 0 to 1 become bytes with (255 * images).astype(np.uint8)" if images.dtype.kind == "f" else ""
        )
        raise Failure(
            f"{name}: images are {images.dtype} of shape {images.shape}, not uint8 (N, H, W) or (N, H, W, C){remedy}"
        )
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        raise Failure(
            f"{name}: images of shape {images.shape} have their channels first; convert them to (N, H, W, C) with "
            "images.transpose(0, 2, 3, 1)"
        )


def _photos(arrays: Arrays) -> dict[str, tuple[torch.Tensor, ...]]:
    """Return the whole photos of each set, in the order of their names."""
    return {
        str(name): tuple(_channels_first(arrays[key])[0] for key in sorted(arrays) if key.startswith(f"{name}_"))
        for name in arrays["photo_sets"]
    }


def _channels_first(pixels: Array) -> torch.Tensor:
    """Pixels ([N, ]H, W, C) -> (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.reshape(-1, *pixels.shape[-3:]).transpose(0, 3, 1, 2)))


def _columns(name: str, arrays: Arrays, prefix: str, count: int) -> dict[str, torch.Tensor]:
    """Read the further columns that `column_names` lists: one value for each image, of any type and shape."""
    columns = {str(column): arrays[f"{prefix}{column}"] for column in arrays.get("column_names", ())}
    for column, values in columns.items():
        if len(values) != count:
            raise Failure(f"{name}: `{prefix}{column}` has {len(values):,} values for {count:,} images")
    return {column: torch.from_numpy(values) for column, values in columns.items()}


def _traits(name: str, arrays: Arrays, prefix: str, count: int) -> Traits:
    """Read the traits that `prepare` stores with the images."""
    choices = {str(trait): tuple(map(str, arrays.get(f"{trait}_names", ()))) for trait in arrays["trait_names"]}
    values = arrays.get(f"{prefix}traits", np.empty(0))
    sizes = np.array([len(names) for names in choices.values()])
    has_shape = np.issubdtype(values.dtype, np.integer) and values.shape == (count, len(sizes))
    if not has_shape or (values < 0).any() or (values >= sizes).any():
        raise Failure(
            f"{name}: `{prefix}traits` must hold, for each image, the number of a choice for each of "
            f"{', '.join(choices)}"
        )
    return Traits(torch.from_numpy(values.astype(np.int64)), choices)
