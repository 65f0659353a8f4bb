"""Seeds and indices: the two 64-bit words that key a random stream."""

import operator
import os

from gan_serve.array_values import plain
from gan_serve.errors import UsageError, short_repr

STREAMS = 2**64
MAX_IMAGES = 2**63 - 1  # of one request: the largest `len` in Python


def random_seed() -> int:
    """Return a random seed, short enough to type."""
    return int.from_bytes(os.urandom(4))


def as_integer(value: object) -> int | None:
    """Return an integer of Python or any library as `int`; None for everything else, including booleans."""
    number = plain(value)
    try:
        return None if isinstance(number, bool) else operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        return None


def checked_integer(name: str, value: object, low: int, high: int) -> int:
    """Return the value as an integer.

    Raises:
        UsageError: The value is not an integer from `low` to `high`.
    """
    number = as_integer(value)
    if number is None or not low <= number <= high:
        raise UsageError(f"{name} {short_repr(value)} is not an integer from {low} to {high}")
    return number
