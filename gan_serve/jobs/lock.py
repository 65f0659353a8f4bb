"""Lock a job's output path, so that only one process writes to it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from gan_serve.jobs.job import Job, job_file
from gan_serve.system.locking import locked


@contextmanager
def job_lock(job: Job, scan: Callable[[bool], None]) -> Iterator[None]:
    """Hold the lock of the job's output path. The job file stays behind unless the block finishes.

    `scan(resumed)` looks for existing output before the job file is written. `resumed` says whether the same job was
    interrupted there.

    Raises:
        Failure: Another process holds the lock, or a different job was interrupted there.
    """
    path = job_file(job.output)
    with locked(path, job.output.path) as file:
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


def _write(file: IO[bytes], content: bytes) -> None:
    file.truncate(0)
    file.write(content)
    file.flush()
    os.fsync(file.fileno())  # other machines of a cluster check for it
