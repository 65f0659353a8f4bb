"""Seeds and indices: 64-bit words of a random stream's key."""

import os

from gan_serve.errors import UsageError

STREAMS = 2**64


def random_seed() -> int:
    """A seed short enough to be typed again."""
    return int.from_bytes(os.urandom(4))


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """Refuse what is no integer of this range.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError(f"{name} {value!r} is not an integer from {low} to {high}")
