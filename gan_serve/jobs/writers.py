"""Write a job's files. Each file is complete at every moment, so a killed job can be resumed."""

import os
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gan_serve.errors import Failure, UsageError
from gan_serve.images.encoding import is_empty, make_folder, write_atomic
from gan_serve.jobs.job import Job, job_file
from gan_serve.jobs.lock import job_lock
from gan_serve.media.numbers import MEDIUM as NUMBERS
from gan_serve.media.reading import find_document
from gan_serve.naming import item_stem
from gan_serve.outputs.panels import PanelFile, panel_files
from gan_serve.provenance import Provenance, parse_provenance, same_pixels
from gan_serve.result import Result


class JobWriter(ABC):
    """A context manager that locks a job's output path and writes the output.

    Raises:
        Failure: The path is locked, or holds something else.
    """

    pending: Sequence[int]  # the positions that are not on disk yet

    def __init__(self, job: Job) -> None:
        self.job = job
        self._lock = job_lock(job, self._find_pending)

    def __enter__(self) -> Self:
        make_folder(self.job.output.path if self.job.output.folder else self.job.output.path.parent)
        self._lock.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    @abstractmethod
    def _find_pending(self, resumed: bool) -> None:
        """Set `pending`. Files of the same job, if it is `resumed`, need no check."""

    @abstractmethod
    def prepare(self, result: Result) -> Callable[[], None]:
        """Encode part of the output, in any thread. Return a function that writes it, to be called in order."""


class FolderWriter(JobWriter):
    """A writer of one file per image."""

    def _find_pending(self, resumed: bool) -> None:
        places = range(len(self.job.request))
        # Eight bytes per position, and no list of names: there may be millions of files.
        self.pending = (
            places if _is_untouched(self.job) else array("Q", (each for each in places if not self._has(each, resumed)))
        )

    def prepare(self, result: Result) -> Callable[[], None]:
        return prepare_files(self.job, result)

    def _has(self, place: int, resumed: bool) -> bool:
        item = self.job.item(place)
        stem = item_stem(self.job.metadata, self.job.request.seed, item)
        path = self.job.output.path / f"{stem}.{self.job.output.format}"
        files = panel_files(self.job.metadata, path, self.job.output.format)
        if not (resumed or has_provenance(self.job)):
            return False
        existing = [file for file in files if file.path.exists()]
        for file in [] if resumed else existing:
            _check_same(file.path, self.job.provenance(item, file.panel))
        return len(existing) == len(files)


def prepare_files(job: Job, result: Result) -> Callable[[], None]:
    """Encode one file per image. Return a function that writes the files atomically."""
    files = list(result.encode_each(job.output.format, job.scale))

    def write() -> None:
        for name, content in files:
            write_atomic(job.output.path / name, content)

    return write


def _is_untouched(job: Job) -> bool:
    """Return whether the job's folder holds only the job file."""
    with os.scandir(job.output.path) as entries:
        return all(entry.name == job_file(job.output).name for entry in entries)


def is_complete(job: Job) -> bool:
    """Return whether the job's one file, or one file of each panel, exists and is complete.

    Raises:
        Failure: A path holds something else, or numbers, which have no provenance.
    """
    if job.output.folder:
        return False
    complete = [_is_complete(job, file) for file in panel_files(job.metadata, job.output.path, job.output.format)]
    return all(complete)


def _is_complete(job: Job, file: PanelFile) -> bool:
    path = file.path
    if not path.exists() or is_empty(path):
        return False
    if not path.is_file():
        raise Failure(f"{path} is not a regular file; choose another path, or - for stdout")
    if not has_provenance(job):
        raise Failure(f"{path} exists; choose another path, or remove it")
    _check_same(path, job.provenance(panel=file.panel))
    return True


def check_apart(folder: Path, inputs: Iterable[Path]) -> None:
    """Reject an output folder that holds the input images: the next call would read its own output.

    Raises:
        UsageError: The folder holds input images.
    """
    if any(folder.exists() and folder.samefile(each) for each in {path.parent for path in inputs}):
        raise UsageError(f"{folder} holds the input images; choose another folder for the output")


def check_replaceable(path: Path, inputs: Iterable[Path]) -> None:
    """Reject an output path whose file gan-serve did not make. Devices, pipes and empty files are allowed.

    Raises:
        Failure: The path holds such a file, or one of the input images.
    """
    if any(path.exists() and path.samefile(each) for each in inputs):
        raise Failure(f"{path} is an input image; choose another path for the output")
    if path.is_file() and not is_empty(path) and not _is_ours(path):
        raise Failure(f"{path} exists, and gan-serve did not make it; choose another path, or remove it")


def _is_ours(path: Path) -> bool:
    try:
        parse_provenance(find_document(path), str(path))
    except Failure:
        return False
    return True


def has_provenance(job: Job) -> bool:
    """Return whether the job's files contain provenance: images and arrays do, numbers do not."""
    return job.output.format not in NUMBERS.names


def _check_same(path: Path, provenance: Provenance) -> None:
    try:
        same = same_pixels(find_document(path), provenance)
    except Failure:
        same = False
    if not same:
        raise Failure(f"{path} exists and was made differently; choose another path, or remove it")
