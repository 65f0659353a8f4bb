"""Read generated files of every medium."""

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gan_serve.errors import Failure
from gan_serve.images import encoding
from gan_serve.images.encoding import GeneratedFile
from gan_serve.media import all_formats
from gan_serve.media.medium import Format

_HEAD = 64  # bytes in which a format shows its signature


def find_document(path: Path) -> str:
    """Read the document of a generated file.

    Raises:
        Failure: The file cannot be read, or gan-serve did not write it.
    """
    format = _own_format(path)
    return _decoded(path, format).document if format else encoding.read_document(path)


def open_generated(path: Path) -> GeneratedFile:
    """Read a generated file.

    Raises:
        Failure: The file cannot be read, or gan-serve did not write it.
    """
    format = _own_format(path)
    return _decoded(path, format) if format else encoding.read_generated(path)


def decode_values(content: bytes, format: str) -> NDArray[Any]:
    """Return the values of a file in memory, other than an array's, as `open_generated` does."""
    codec = all_formats()[format].codec if format in all_formats() else None
    return codec.decode(content)[1] if codec else encoding.decode_pixels(content)


def _own_format(path: Path) -> Format | None:
    """Return the format of a file that is neither an image nor an array, if its beginning shows it."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    formats = (format for format in all_formats().values() if format.codec)
    return next((each for each in formats if each.codec and re.match(each.codec.signature, head, re.DOTALL)), None)


def _decoded(path: Path, format: Format) -> GeneratedFile:
    assert format.codec  # as _own_format returns no others
    try:
        return GeneratedFile(*format.codec.decode(path.read_bytes()), format.name)
    except Exception as error:  # a damaged file raises many errors
        raise Failure(f"{path}: damaged ({error})") from None
