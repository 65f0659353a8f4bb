"""The two ways to fail. A front end prints the message, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 100  # characters of a value in a message


class GanServeError(Exception):
    """Something the user can act on; the message is one line that says what is wrong and what would be right."""

    exit_code = 1


class UsageError(GanServeError):
    """The request itself is wrong: an unknown model, a label that does not exist, a value out of range."""

    exit_code = 2


class Failure(GanServeError):
    """The request was right but could not be done: a broken file, a missing runtime, a full disk."""


def shown(value: object) -> str:
    """A value as a message shows it: its `repr`, in one line that nobody gets lost in."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    except Exception:  # of another library's
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@contextmanager
def readable(source: str | Path) -> Iterator[None]:
    """Turn an operating system's error on reading a file or a folder into a `Failure`."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{error.filename or source}: cannot be read ({error.strerror})") from None
