"""Exceptions for users. Front ends print their messages, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 100  # characters of a value in a message


class GanServeError(Exception):
    """An error that the user can fix. The message is one line: what is wrong, and what to do instead."""

    exit_code = 1


class UsageError(GanServeError):
    """The request is invalid: an unknown model, a label that does not exist, a value out of range."""

    exit_code = 2


class Failure(GanServeError):
    """The request is valid but failed: a broken file, a missing runtime, a full disk."""


def short_repr(value: object) -> str:
    """Return the `repr` of a value on one line, shortened for error messages."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        return "an integer of thousands of digits"
    except Exception:  # a third-party `__repr__` may raise anything
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@contextmanager
def readable(source: str | Path) -> Iterator[None]:
    """Turn an operating system's error on reading a file or a folder into a `Failure`."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{error.filename or source}: cannot be read ({error.strerror})") from None
