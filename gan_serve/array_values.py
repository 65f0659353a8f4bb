"""Accept values of other libraries (NumPy, PyTorch, JAX ...) by their methods, without importing the libraries."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from gan_serve.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bytes = bytes | bytearray | memoryview


def plain(value: object) -> object:
    """Convert arrays, tensors and their elements to Python numbers or lists, and bytes to text.

    Return everything else unchanged.

    Raises:
        UsageError: An array or a tensor cannot be read.
    """
    if isinstance(value, Bytes):
        return bytes(value).decode(errors="replace")
    ways = [way for name in ("tolist", "numpy") if callable(way := getattr(value, name, None))]
    if isinstance(value, type) or not ways:
        return value
    for way in ways:
        try:
            return plain(way())
        except Exception:  # each library has its own
            continue
    raise _unreadable(value)


def is_list(value: object) -> TypeGuard[Iterable[Any]]:
    """Return whether a value is a sequence of values rather than text or a mapping."""
    return isinstance(value, Iterable) and not isinstance(value, str | Mapping)


def is_array(value: object) -> bool:
    """Return whether a value is an array or a tensor of any library."""
    return not isinstance(value, type) and any(hasattr(value, name) for name in ("__array__", "numpy"))


def to_array(value: Any) -> "NDArray[Any]":
    """Convert an array or a tensor to NumPy, on any device, with or without a gradient.

    Raises:
        UsageError: It cannot be read.
    """
    import numpy as np

    for way in (np.asarray, _from_tensor, lambda each: np.asarray(each.tolist())):
        try:
            array: NDArray[Any] = way(value)
            return array
        except Exception:  # each library has its own
            continue
    raise _unreadable(value)


def _from_tensor(value: Any) -> "NDArray[Any]":
    array: NDArray[Any] = value.detach().cpu().numpy() if hasattr(value, "detach") else value.numpy()
    return array


def _unreadable(value: object) -> UsageError:
    return UsageError(f"a value of type {type(value).__name__} cannot be read; give a numpy array or plain numbers")
