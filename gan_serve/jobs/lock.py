"""Lock a job's output path, so that only one process writes to it."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gan_serve.errors import Failure
from gan_serve.jobs.job import Job, job_file


@contextmanager
def job_lock(job: Job, scan: Callable[[bool], None]) -> Iterator[None]:
    """Hold the lock of the job's output path. The job file stays behind unless the block finishes.

    `scan(resumed)` looks for existing output before the job file is written. `resumed` says whether the same job was
    interrupted there.

    Raises:
        Failure: Another process holds the lock, or a different job was interrupted there.
    """
    path = job_file(job.output)
    with _locked(path, job.output.path) as file:
        resumed = job.is_resumed()
        try:
            scan(resumed)
        except BaseException:
            if not resumed:
                path.unlink()
            raise
        _write(file, job.to_json().encode())
        yield
        path.unlink()


@contextmanager
def _locked(path: Path, output: Path) -> Iterator[IO[bytes]]:
    """Open and lock the job file. The system releases the lock when the process ends for any reason."""
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


def _write(file: IO[bytes], content: bytes) -> None:
    file.truncate(0)
    file.write(content)
    file.flush()
    os.fsync(file.fileno())  # other machines of a cluster check for it
