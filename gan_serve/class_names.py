"""Classes that are named by numbers, and the order that names have. Importing this loads no numpy."""

import re
from collections.abc import Iterable
from functools import lru_cache

_NUMBER = re.compile("-?[0-9]{1,15}")  # as many digits as a browser's numbers hold


def number_in(text: str) -> int | None:
    """The integer that a text is, such as `10`, `010` or `-1`; None for every other text."""
    return int(text) if _NUMBER.fullmatch(text) else None


@lru_cache
def class_numbers(names: tuple[str, ...]) -> tuple[int, ...] | None:
    """The number that each class is named by; None where a name is no number, or two names are the same number."""
    numbers = [number for name in names if (number := number_in(name)) is not None]
    return tuple(numbers) if len(set(numbers)) == len(names) else None


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names sorted by their numbers where all are numbers (1, 2, 10), else as text."""
    listed = sorted(names)
    numbers = {name: number for name in listed if (number := number_in(name)) is not None}
    return tuple(sorted(listed, key=numbers.__getitem__) if len(numbers) == len(listed) else listed)
