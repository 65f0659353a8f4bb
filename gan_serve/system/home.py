"""`~` at the head of a path: a shell replaces it, but settings, quoted globs and `--option=~/...` meet no shell."""

from os import PathLike, fspath
from pathlib import Path


def with_home(given: str | PathLike[str]) -> str:
    """The path with the user's home in place of `~`; where there is no such home, it stays as it is.

    >>> with_home("~/models/")
    '/home/ada/models/'
    """
    text = fspath(given)
    head, slash, rest = text.partition("/")
    if not head.startswith("~"):
        return text
    try:
        return f"{Path(head).expanduser()}{slash}{rest}"
    except RuntimeError:  # no such user
        return text
