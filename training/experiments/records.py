"""Figures that are kept: dataclasses as JSON files, one a record, of which documents are made."""

import json
from pathlib import Path
from typing import TypeVar

from gan_serve.images.encoding import make_folder, write_atomic
from gan_serve.schema import ValidationError, decode, encode

Record = TypeVar("Record")


def write(record: object, path: Path) -> None:
    """Keep a dataclass; its folder is made where there is none."""
    make_folder(path.parent)
    write_atomic(path, f"{encode(record, indent=1)}\n".encode())


def read(kind: type[Record], path: Path) -> Record:
    """What `write` kept."""
    return decode(kind, json.loads(path.read_bytes()))


def find(kind: type[Record], path: Path) -> Record | None:
    """What `write` kept, or nothing if it is something else."""
    try:
        return read(kind, path)
    except (OSError, ValueError, ValidationError):
        return None
