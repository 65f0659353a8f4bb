"""The one file that a job fills row after row: an array, or lines of numbers."""

import math
from abc import abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gan_serve.images.encoding import partial_path, real_path
from gan_serve.images.npy import npy_header, npy_rows
from gan_serve.jobs.job import Job
from gan_serve.jobs.writers import JobWriter, has_provenance
from gan_serve.result import Result, array_shape


class AppendingWriter(JobWriter):
    """Rows are appended to a hidden part, which becomes the file when all are there."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._path = real_path(job.output.path)
        self._part = partial_path(self._path)

    def __enter__(self) -> Self:
        super().__enter__()
        self._file = self._part.open("ab")
        self._file.truncate(self._whole)
        if not self._whole:
            self._file.write(self._header())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._file.write(self._trailer())
        if kind is None:
            self._part.replace(self._path)
        super().__exit__(kind, error, trace)

    def _look(self, resumed: bool) -> None:
        if not resumed:
            self._part.unlink(missing_ok=True)
        done, self._whole = self._find_whole_rows()
        self.pending = range(done, len(self.job.request))

    def prepare(self, result: Result) -> Callable[[], None]:
        rows = self._rows(result)

        def write() -> None:
            self._file.write(rows)

        return write

    @abstractmethod
    def _find_whole_rows(self) -> tuple[int, int]:
        """How many rows the part holds, and how many bytes these are with what stands before them."""

    @abstractmethod
    def _rows(self, result: Result) -> bytes:
        """A part of the answer as it stands in the file."""

    def _header(self) -> bytes:
        return b""

    def _trailer(self) -> bytes:
        return b""


class NpyWriter(AppendingWriter):
    """An NPY file."""

    def _find_whole_rows(self) -> tuple[int, int]:
        size = self._part.stat().st_size if self._part.exists() else 0
        row, header = 4 * math.prod(array_shape(self.job.metadata)), len(self._header())
        done = min(max(size - header, 0) // row, len(self.job.request))
        return done, header + done * row if done else 0

    def _header(self) -> bytes:
        return npy_header((len(self.job.request), *array_shape(self.job.metadata)))

    def _rows(self, result: Result) -> bytes:
        return npy_rows(result.array)

    def _trailer(self) -> bytes:
        return self.job.provenance().to_json().encode()


class JsonlWriter(AppendingWriter):
    """A JSONL file, with a line for each answer."""

    def _find_whole_rows(self) -> tuple[int, int]:
        content = self._part.read_bytes() if self._part.exists() else b""
        return content.count(b"\n"), content.rfind(b"\n") + 1

    def _rows(self, result: Result) -> bytes:
        return result.encode()


def open_rows(job: Job) -> AppendingWriter:
    """The one file of a job."""
    return NpyWriter(job) if has_provenance(job) else JsonlWriter(job)
