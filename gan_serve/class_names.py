"""Class names that are numbers, and the order of class names. This module does not import numpy."""

import re
from collections.abc import Iterable
from functools import lru_cache

_NUMBER = re.compile("-?[0-9]{1,15}")  # JavaScript holds 15 digits exactly


def number_in(text: str) -> int | None:
    """Return the integer that a text spells, such as `10`, `010` or `-1`; otherwise None."""
    return int(text) if _NUMBER.fullmatch(text) else None


@lru_cache
def class_numbers(names: tuple[str, ...]) -> tuple[int, ...] | None:
    """Return the number that names each class; None if a name is not a number, or two name the same one."""
    numbers = [number for name in names if (number := number_in(name)) is not None]
    return tuple(numbers) if len(set(numbers)) == len(names) else None


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort names by their numbers (1, 2, 10) if all are numbers, otherwise as text."""
    listed = sorted(names)
    numbers = {name: number for name in listed if (number := number_in(name)) is not None}
    return tuple(sorted(listed, key=numbers.__getitem__) if len(numbers) == len(listed) else listed)
