"""The labels of images, as arrays have them -> the places of their classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure
from training.data.reading import listed

Labels = NDArray[Any]


def checked_labels(name: str, labels: Labels | None, count: int) -> NDArray[np.int64]:
    """Integers (N,) for labels (N,) or (N, 1) of any integer type; without labels, all are 0.

    Raises:
        Failure: they are of another type, or not as many as there are images.
    """
    if labels is None:
        return np.zeros(count, np.int64)
    column = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if column.shape != (count,) or not np.issubdtype(column.dtype, np.integer):
        raise Failure(
            f"{name}: {count} images need as many integer labels, not {labels.dtype} {labels.shape}{_remedy(labels)}"
        )
    return column.astype(np.int64)


def named_by_numbers(name: str, labels: NDArray[np.int64], train: NDArray[np.int64]) -> tuple[Labels, tuple[str, ...]]:
    """Labels without names: each number that there is to train on is a class of that name.

    Raises:
        Failure: a number that training never sees, or one below 0.
    """
    if train.min(initial=0) < 0:
        raise Failure(f"{name}: labels run from {train.min()} to {train.max()}; give numbers from 0 on")
    numbers = np.unique(train)
    if unknown := np.setdiff1d(labels, numbers).tolist():
        raise Failure(
            f"{name}: the test part has the labels {listed([str(number) for number in unknown])}, which the part to "
            f"train on lacks; it has {listed([str(number) for number in numbers], 20)}"
        )
    return np.searchsorted(numbers, labels), tuple(map(str, numbers.tolist()))


def _remedy(labels: Labels) -> str:
    if labels.ndim == 2 and np.issubdtype(labels.dtype, np.number):
        return "; turn one-hot labels into numbers with labels.argmax(axis=1)"
    if labels.dtype.kind in "US":
        return "; turn names into numbers with classes, labels = np.unique(labels, return_inverse=True)"
    return "; turn them into integers with labels.astype(np.int64)" if labels.dtype.kind in "fb" else ""
