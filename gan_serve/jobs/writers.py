"""The files that a job fills: whole at every moment, so that it can be killed and called again."""

import os
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gan_serve.errors import Failure, UsageError
from gan_serve.formats import IMAGES
from gan_serve.images.encoding import is_empty, make_folder, read_document, write_atomic
from gan_serve.jobs.job import Job, job_file
from gan_serve.jobs.lock import job_lock
from gan_serve.naming import item_stem
from gan_serve.provenance import Provenance, parse_provenance, same_pixels
from gan_serve.result import Result


class JobWriter(ABC):
    """Used as a context, which is claimed for this process.

    Raises:
        Failure: it cannot be, or something else is there.
    """

    pending: Sequence[int]  # the places that are not on the disk yet

    def __init__(self, job: Job) -> None:
        self.job = job
        self._claim = job_lock(job, self._look)

    def __enter__(self) -> Self:
        make_folder(self.job.output.path if self.job.output.folder else self.job.output.path.parent)
        self._claim.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._claim.__exit__(kind, error, trace)

    @abstractmethod
    def _look(self, resumed: bool) -> None:
        """Find what is pending; only what is there of this very job, once `resumed`, needs no check."""

    @abstractmethod
    def prepare(self, result: Result) -> Callable[[], None]:
        """Encode a part of the answer, in any thread; what is returned writes it, and is called in order."""


class Folder(JobWriter):
    """One file for each image."""

    def _look(self, resumed: bool) -> None:
        places = range(len(self.job.request))
        # Eight bytes for each place, and no list of the names: there may be millions of files.
        self.pending = (
            places if _is_untouched(self.job) else array("Q", (each for each in places if not self._has(each, resumed)))
        )

    def prepare(self, result: Result) -> Callable[[], None]:
        return prepare_files(self.job, result)

    def _has(self, place: int, resumed: bool) -> bool:
        item = self.job.item(place)
        stem = item_stem(self.job.metadata, self.job.request.seed, item)
        path = self.job.output.path / f"{stem}.{self.job.output.format}"
        if not (resumed or has_provenance(self.job)) or not path.exists():
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


def _is_untouched(job: Job) -> bool:
    """Whether the job's folder holds nothing but the job's own file."""
    with os.scandir(job.output.path) as entries:
        return all(entry.name == job_file(job.output).name for entry in entries)


def is_complete(job: Job) -> bool:
    """Whether the job's one file is there already, complete.

    Raises:
        Failure: something else is, or numbers, which do not tell how they were made.
    """
    path = job.output.path
    if job.output.folder or not path.exists() or is_empty(path):
        return False
    if not path.is_file():
        raise Failure(f"{path} is no file, and cannot be filled; choose another place, or - for stdout")
    if not has_provenance(job):
        raise Failure(f"{path} exists; choose another place, or remove it")
    _check_same(path, job.provenance())
    return True


def check_apart(folder: Path, inputs: Iterable[Path]) -> None:
    """Refuse to fill the folder of the images that go in: the next call would take what was made for some of them.

    Raises:
        UsageError: it is such a folder.
    """
    if any(folder.exists() and folder.samefile(each) for each in {path.parent for path in inputs}):
        raise UsageError(f"{folder} holds the images that go in; choose another folder for what is made of them")


def check_replaceable(path: Path, inputs: Iterable[Path]) -> None:
    """Refuse to write one image over what gan-serve did not make; devices, pipes and empty files lose nothing.

    Raises:
        Failure: such a file is there, or one of the images that go in.
    """
    if any(path.exists() and path.samefile(each) for each in inputs):
        raise Failure(f"{path} is an image that goes in; choose another place for what is made of it")
    if path.is_file() and not is_empty(path) and not _is_ours(path):
        raise Failure(f"{path} exists, and gan-serve did not make it; choose another place, or remove it")


def _is_ours(path: Path) -> bool:
    try:
        parse_provenance(read_document(path), str(path))
    except Failure:
        return False
    return True


def has_provenance(job: Job) -> bool:
    """Whether its files say how they were made, as images and arrays do, and numbers do not."""
    return job.output.format in IMAGES.names


def _check_same(path: Path, provenance: Provenance) -> None:
    try:
        same = same_pixels(read_document(path), provenance)
    except Failure:
        same = False
    if not same:
        raise Failure(f"{path} exists and was made otherwise; choose another place, or remove it")
