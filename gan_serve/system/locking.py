"""Lock an output, so that only one process writes to it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gan_serve.errors import Failure


@contextmanager
def locked(path: Path, output: Path) -> Iterator[IO[bytes]]:
    """Open the file at `path` and lock it; messages name the `output` that it guards.

    The system releases the lock when the process ends for any reason.

    Raises:
        Failure: Another process holds the lock, or the file cannot be written.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise Failure(f"{output}: cannot be written ({error.strerror})") from None
    with file:
        if not _lock(file, path):
            raise Failure(f"{output}: another process is writing to it")
        yield file


def _lock(file: IO[bytes], path: Path) -> bool:
    """Lock the file. Return False if it is locked, or the previous owner has removed it from `path`."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
