"""Convert the labels in arrays to class numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure
from training.data.reading import listed

Labels = NDArray[Any]


def checked_labels(name: str, labels: Labels | None, count: int) -> NDArray[np.int64]:
    """Return int64 (N,) for labels (N,) or (N, 1) of any integer type; without labels, all are 0.

    Raises:
        Failure: the labels are no integers, or their number differs from that of the images.
    """
    if labels is None:
        return np.zeros(count, np.int64)
    column = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if column.shape != (count,) or not np.issubdtype(column.dtype, np.integer):
        raise Failure(
            f"{name}: {count} images need {count} integer labels, not {labels.dtype} {labels.shape}{_remedy(labels)}"
        )
    return column.astype(np.int64)


def named_by_numbers(name: str, labels: NDArray[np.int64], train: NDArray[np.int64]) -> tuple[Labels, tuple[str, ...]]:
    """Return class numbers and names for labels without names: each number in the training part names a class.

    Raises:
        Failure: a label is below 0, or does not occur in the training part.
    """
    if train.min(initial=0) < 0:
        raise Failure(f"{name}: labels run from {train.min()} to {train.max()}; use numbers from 0 on")
    numbers = np.unique(train)
    if unknown := np.setdiff1d(labels, numbers).tolist():
        raise Failure(
            f"{name}: the test part has the labels {listed([str(number) for number in unknown])}, which the training "
            f"part lacks; that one has {listed([str(number) for number in numbers], 20)}"
        )
    return np.searchsorted(numbers, labels), tuple(map(str, numbers.tolist()))


def _remedy(labels: Labels) -> str:
    if labels.ndim == 2 and np.issubdtype(labels.dtype, np.number):
        return "; turn one-hot labels into numbers with labels.argmax(axis=1)"
    if labels.dtype.kind in "US":
        return "; turn names into numbers with classes, labels = np.unique(labels, return_inverse=True)"
    return "; turn them into integers with labels.astype(np.int64)" if labels.dtype.kind in "fb" else ""
