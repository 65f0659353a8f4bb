"""Write a job's output to one file, row by row: an NPY array, or lines of numbers."""

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
    """A writer that appends rows to a hidden partial file, which replaces the output file when it is complete."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._path = real_path(job.output.path)
        self._part = partial_path(self._path)

    def __enter__(self) -> Self:
        super().__enter__()
        self._file = self._part.open("ab")
        self._file.truncate(self._valid_bytes)
        if not self._valid_bytes:
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

    def _find_pending(self, resumed: bool) -> None:
        if not resumed:
            self._part.unlink(missing_ok=True)
        done, self._valid_bytes = self._find_complete_rows()
        self.pending = range(done, len(self.job.request))

    def prepare(self, result: Result) -> Callable[[], None]:
        rows = self._rows(result)

        def write() -> None:
            self._file.write(rows)

        return write

    @abstractmethod
    def _find_complete_rows(self) -> tuple[int, int]:
        """Return the number of complete rows in the partial file, and their bytes including the header."""

    @abstractmethod
    def _rows(self, result: Result) -> bytes:
        """Encode part of the output."""

    def _header(self) -> bytes:
        return b""

    def _trailer(self) -> bytes:
        return b""


class NpyWriter(AppendingWriter):
    """A writer of one NPY file."""

    def _find_complete_rows(self) -> tuple[int, int]:
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
    """A writer of one JSON Lines file, with a line per image."""

    def _find_complete_rows(self) -> tuple[int, int]:
        content = self._part.read_bytes() if self._part.exists() else b""
        return content.count(b"\n"), content.rfind(b"\n") + 1

    def _rows(self, result: Result) -> bytes:
        return result.encode()


def appending_writer(job: Job) -> AppendingWriter:
    """Return the writer for a job with one file."""
    return NpyWriter(job) if has_provenance(job) else JsonlWriter(job)
