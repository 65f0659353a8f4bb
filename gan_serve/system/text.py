"""Text that not every place can hold: names of files that are not UTF-8, and streams of few characters."""

import codecs
import io
import os
import re
import sys
from os import PathLike

from gan_serve.errors import UsageError, short_repr

_ERRORS = "gan_serve"  # the name under which Python knows how to write what a stream has no characters for


def printable(name: str) -> str:
    """A file's name as it may stand in JSON: a byte that is not UTF-8 becomes %E9, for example.

    Python keeps a byte that the locale's encoding lacks as half of a character, which strict readers of JSON refuse.
    """
    text = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\N{REPLACEMENT CHARACTER}", name)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


def path_text(name: str, value: object) -> str:
    """The path that a text, bytes or a path object means; `name` is the parameter's.

    Raises:
        UsageError: it is something else.
    """
    try:
        return os.fsdecode(value)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"{name} {short_repr(value)} is no path; give a text or a pathlib.Path") from None


def path_bytes(path: str | PathLike[str]) -> bytes:
    """A path as the file system has it, to be printed for other programs whatever the stream's encoding is."""
    return os.fsencode(path)


def open_streams() -> None:
    """Let stdout and stderr take any text: a character that they do not have becomes ?, a file's bytes stay."""
    codecs.register_error(_ERRORS, _encoded)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _encoded(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(_byte, error.object[error.start : error.end])), error.end


def _byte(character: str) -> bytes:
    return bytes([ord(character) - 0xDC00]) if "\udc80" <= character <= "\udcff" else b"?"
