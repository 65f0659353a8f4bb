"""The files that a job fills: whole at every moment, so that it can be killed and called again."""

from abc import ABC, abstractmethod
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
        existing = {path.name for path in self._path.iterdir()}
        resumed = job.is_resumed()
        places = range(len(job.request))
        self.pending = [place for place in places if not self._has(place, existing, resumed)] if existing else places

    def prepare(self, result: Result) -> Callable[[], None]:
        files = list(result.encode_each(self.job.output.format, self.job.scale))

        def write() -> None:
            for name, content in files:
                write_atomic(self._path / name, content)

        return write

    def _has(self, place: int, existing: set[str], resumed: bool) -> bool:
        item = self.job.item(place)
        name = f"{item_stem(self.job.metadata, self.job.request.seed, item)}.{self.job.output.format}"
        if name not in existing or not (resumed or tells_its_making(self.job)):
            return False
        if not resumed:
            _check_same(self._path / name, self.job.provenance(item))
        return True


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
