"""A job's place on the disk, which one process at a time may fill."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gan_serve.errors import Failure
from gan_serve.jobs.job import Job, job_file


@contextmanager
def job_lock(job: Job, look: Callable[[bool], None]) -> Iterator[None]:
    """Keep every other process from filling the same place; the job's file stays behind unless the work was finished.

    `look` finds what is there already, and is told whether this very job was interrupted there.

    Raises:
        Failure: another process is at work there, or another job was interrupted.
    """
    path = job_file(job.output)
    with _locked(path, job.output.path) as file:
        resumed = job.is_resumed()
        try:
            look(resumed)
        except BaseException:
            if not resumed:
                path.unlink()
            raise
        _write(file, job.to_json().encode())
        yield
        path.unlink()


@contextmanager
def _locked(path: Path, place: Path) -> Iterator[IO[bytes]]:
    """The job's file, empty where there was none. The system frees the lock of a process that ends, however it ends."""
    try:
        file = path.open("ab")
    except OSError as error:
        raise Failure(f"{place}: cannot be written ({error.strerror})") from None
    with file:
        if not _lock(file, path):
            raise Failure(f"{place}: another process is filling it")
        yield file


def _lock(file: IO[bytes], path: Path) -> bool:
    """Whether the file is locked now, and still the one at `path`: who had it before may have removed it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _write(file: IO[bytes], content: bytes) -> None:
    file.truncate(0)
    file.write(content)
    file.flush()
    os.fsync(file.fileno())  # other machines of a cluster look for it
