"""Expand `~`, which a shell leaves alone in settings, quoted globs and `--option=~/...`."""

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path


def with_homes(arguments: Sequence[str]) -> list[str]:
    """Return a command line's arguments with `~` expanded in each `--option=~/...`."""
    pairs = (argument.partition("=") for argument in arguments)
    return [
        f"{name}={with_home(value)}" if name.startswith("--") and equals else name + equals + value
        for name, equals, value in pairs
    ]


def with_home(path: str | PathLike[str]) -> str:
    """Return the path with `~` replaced by the user's home, or unchanged if there is no such home.

    >>> with_home("~/models/")
    '/home/ada/models/'
    """
    text = fspath(path)
    head, slash, rest = text.partition("/")
    if not head.startswith("~"):
        return text
    try:
        return f"{Path(head).expanduser()}{slash}{rest}"
    except RuntimeError:  # no such user
        return text
