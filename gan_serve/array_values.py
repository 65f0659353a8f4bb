"""Values as other libraries have them, known by what they can do: none of these libraries is imported here."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from gan_serve.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bytes = bytes | bytearray | memoryview


def plain(value: object) -> object:
    """Python's own numbers, text or lists for arrays, tensors and their elements, and for text in bytes.

    Everything else stays as it is.

    Raises:
        UsageError: an array or a tensor that cannot be read.
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
    """Whether it is several values, one after the other."""
    return isinstance(value, Iterable) and not isinstance(value, str | Mapping)


def is_array(value: object) -> bool:
    """Whether it is an array or a tensor, of whatever library."""
    return not isinstance(value, type) and any(hasattr(value, name) for name in ("__array__", "numpy"))


def to_array(value: Any) -> "NDArray[Any]":
    """A numpy array for an array or a tensor, wherever it lies and whether or not its gradient is computed.

    Raises:
        UsageError: it cannot be read.
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
