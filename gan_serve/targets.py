"""The files that a job fills: whole at every moment, so that it can be killed and called again."""

import os
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gan_serve.errors import Failure
from gan_serve.job import Job, job_file
from gan_serve.media import make_folder, read_document, write_atomic
from gan_serve.naming import item_stem
from gan_serve.output import PICTURES
from gan_serve.provenance import Provenance, same_pixels
from gan_serve.result import Result


class Target(ABC):
    """Used as a context, it leaves the job's file behind unless the work was finished."""

    pending: Sequence[int]  # the places that are not on the disk yet

    def __init__(self, job: Job) -> None:
        self.job = job

    def __enter__(self) -> Self:
        write_atomic(job_file(self.job.output), self.job.to_json().encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            job_file(self.job.output).unlink()

    @abstractmethod
    def prepare(self, result: Result) -> Callable[[], None]:
        """Encode a part of the answer, in any thread; what is returned writes it, and is called in order."""


class Folder(Target):
    """One file for each image.

    Raises:
        Failure: a file of the same name shows something else.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._path = job.output.path
        make_folder(self._path)
        resumed = job.is_resumed()
        places = range(len(job.request))
        # Eight bytes for each place, and no list of the names: there may be millions of files.
        self.pending = (
            places if _is_empty(self._path) else array("Q", (each for each in places if not self._has(each, resumed)))
        )

    def prepare(self, result: Result) -> Callable[[], None]:
        return prepare_files(self.job, result)

    def _has(self, place: int, resumed: bool) -> bool:
        item = self.job.item(place)
        path = self._path / f"{item_stem(self.job.metadata, self.job.request.seed, item)}.{self.job.output.format}"
        if not (resumed or tells_its_making(self.job)) or not path.exists():
            return False
        if not resumed:
            _check_same(path, self.job.provenance(item))
        return True


def prepare_files(job: Job, result: Result) -> Callable[[], None]:
    """Encode a part of the answer, a file for each image; what is returned writes them, each one whole."""
    files = list(result.encode_each(job.output.format, job.scale))

    def write() -> None:
        for name, content in files:
            write_atomic(job.output.path / name, content)

    return write


def _is_empty(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def is_made(job: Job) -> bool:
    """Whether the job's one file is there already, complete; numbers do not tell, and are written again.

    Raises:
        Failure: a file of the same name holds something else.
    """
    if job.output.folder or not tells_its_making(job) or not job.output.path.exists():
        return False
    _check_same(job.output.path, job.provenance())
    return True


def tells_its_making(job: Job) -> bool:
    """Whether its files say how they were made, as pictures and arrays do, and numbers do not."""
    return job.output.format in PICTURES.formats


def _check_same(path: Path, provenance: Provenance) -> None:
    try:
        same = same_pixels(read_document(path), provenance)
    except Failure:
        same = False
    if not same:
        raise Failure(f"{path} exists and was made otherwise; choose another place, or remove it")
