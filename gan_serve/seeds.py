"""Seeds and indices: 64-bit words of a random stream's key."""

import operator
import os

from gan_serve.array_values import plain
from gan_serve.errors import UsageError, short_repr

STREAMS = 2**64
MAX_IMAGES = 2**63 - 1  # of one request: Python counts no further


def random_seed() -> int:
    """A seed short enough to be typed again."""
    return int.from_bytes(os.urandom(4))


def as_integer(value: object) -> int | None:
    """The integer that Python's own or another library's stands for; None for everything else, booleans included."""
    number = plain(value)
    try:
        return None if isinstance(number, bool) else operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        return None


def checked_integer(name: str, value: object, low: int, high: int) -> int:
    """The integer that a value stands for.

    Raises:
        UsageError: it is none of this range.
    """
    number = as_integer(value)
    if number is None or not low <= number <= high:
        raise UsageError(f"{name} {short_repr(value)} is not an integer from {low} to {high}")
    return number
