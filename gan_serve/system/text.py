"""Text in limited encodings: file names that are not UTF-8, and streams that lack characters."""

import codecs
import io
import os
import re
import sys
from os import PathLike

from gan_serve.errors import UsageError, short_repr

_ERRORS = "gan_serve"  # the name of the error handler for characters that a stream lacks


def printable(name: str) -> str:
    """Return a file name that is valid in JSON: a byte that is not UTF-8 becomes %E9, for example.

    Python represents such bytes as lone surrogates, which strict JSON parsers reject.
    """
    text = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\N{REPLACEMENT CHARACTER}", name)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


def path_text(name: str, value: object) -> str:
    """Return a path as text. Error messages call the parameter `name`.

    Raises:
        UsageError: The value is neither text, bytes nor a path object.
    """
    try:
        return os.fsdecode(value)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"{name} {short_repr(value)} is not a path; give a str or a pathlib.Path") from None


def path_bytes(path: str | PathLike[str]) -> bytes:
    """Return a path as the file system's bytes, to print for other programs regardless of the stream's encoding."""
    return os.fsencode(path)


def open_streams() -> None:
    """Let stdout and stderr accept any text: missing characters become ?, bytes of file names stay."""
    codecs.register_error(_ERRORS, _encoded)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _encoded(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(_byte, error.object[error.start : error.end])), error.end


def _byte(character: str) -> bytes:
    return bytes([ord(character) - 0xDC00]) if "\udc80" <= character <= "\udcff" else b"?"
