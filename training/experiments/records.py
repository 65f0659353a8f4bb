"""Results of experiments: dataclasses as JSON files, from which documents are generated."""

import json
from pathlib import Path
from typing import TypeVar

from gan_serve.images.encoding import make_folder, write_atomic
from gan_serve.schema import ValidationError, decode, encode

Record = TypeVar("Record")


def write(record: object, path: Path) -> None:
    """Write a dataclass as a JSON file; create its folder if necessary."""
    make_folder(path.parent)
    write_atomic(path, f"{encode(record, indent=1)}\n".encode())


def read(kind: type[Record], path: Path) -> Record:
    """Read a dataclass from a file that `write` wrote."""
    return decode(kind, json.loads(path.read_bytes()))


def find(kind: type[Record], path: Path) -> Record | None:
    """Read a dataclass as `read` does; return None for any other file."""
    try:
        return read(kind, path)
    except (OSError, ValueError, ValidationError):
        return None
