"""Write a job's output to files that hold many rows: an NPY array for each panel, or lines of numbers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from gan_serve.images.encoding import partial_path, real_path
from gan_serve.images.npy import npy_header, npy_rows
from gan_serve.jobs.job import Job
from gan_serve.jobs.writers import JobWriter
from gan_serve.outputs.panels import Panel, array_shape, panel_files
from gan_serve.result import Result


class RowFile(ABC):
    """A file that grows row by row: a hidden partial file, which replaces the output file when it is complete."""

    def __init__(self, job: Job, path: Path) -> None:
        self.job = job
        self._path = real_path(path)
        self._part = partial_path(self._path)

    def discard(self) -> None:
        """Remove the partial file."""
        self._part.unlink(missing_ok=True)

    @abstractmethod
    def count(self) -> int:
        """Return the number of complete rows in the partial file."""

    @abstractmethod
    def encode(self, result: Result) -> bytes:
        """Return the rows of part of the output."""

    def open(self, rows: int) -> None:
        """Open the partial file, and keep so many of its rows."""
        size = self._size_of(rows) if rows else 0
        self._file = self._part.open("ab")
        self._file.truncate(size)
        if not size:
            self._file.write(self._header())

    def write(self, rows: bytes) -> None:
        """Append encoded rows."""
        self._file.write(rows)

    def close(self, *, complete: bool) -> None:
        """Close the partial file; if it is complete, move it to the output path."""
        with self._file:
            if complete:
                self._file.write(self._trailer())
        if complete:
            self._part.replace(self._path)

    @abstractmethod
    def _size_of(self, rows: int) -> int:
        """Return the bytes of the header and the first rows of the partial file."""

    def _header(self) -> bytes:
        return b""

    def _trailer(self) -> bytes:
        return b""


class NpyFile(RowFile):
    """An NPY file with the array of one panel."""

    def __init__(self, job: Job, path: Path, panel: Panel) -> None:
        super().__init__(job, path)
        self._panel = panel
        self._shape = array_shape(job.metadata, panel)

    def count(self) -> int:
        """Return the number of complete rows in the partial file."""
        size = self._part.stat().st_size if self._part.exists() else 0
        done = max(size - len(self._header()), 0) // self._row
        return min(done, len(self.job.request))

    def encode(self, result: Result) -> bytes:
        """Return the rows of part of the output."""
        return npy_rows(self._panel.array(result.outputs))

    @property
    def _row(self) -> int:
        return 4 * math.prod(self._shape)

    def _size_of(self, rows: int) -> int:
        return len(self._header()) + rows * self._row

    def _header(self) -> bytes:
        return npy_header((len(self.job.request), *self._shape))

    def _trailer(self) -> bytes:
        return self.job.provenance(panel=self._panel).to_json().encode()


class JsonlFile(RowFile):
    """A JSON Lines file, with a line per image."""

    def count(self) -> int:
        """Return the number of complete lines in the partial file."""
        return self._content().count(b"\n")

    def encode(self, result: Result) -> bytes:
        """Return the lines of part of the output."""
        return result.encode(self.job.output.format)

    def _size_of(self, rows: int) -> int:
        return self._content().rfind(b"\n") + 1

    def _content(self) -> bytes:
        return self._part.read_bytes() if self._part.exists() else b""


class AppendingWriter(JobWriter):
    """A writer that appends the same rows to each of its files."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        files = panel_files(job.metadata, job.output.path, job.output.format)
        self.files = [NpyFile(job, path, panel) if panel else JsonlFile(job, path) for panel, path, _ in files]

    def __enter__(self) -> Self:
        super().__enter__()
        for file in self.files:
            file.open(self.pending.start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self.files:
            file.close(complete=kind is None)
        super().__exit__(kind, error, trace)

    def _find_pending(self, resumed: bool) -> None:
        for file in [] if resumed else self.files:
            file.discard()
        done = min(file.count() for file in self.files)
        self.pending: range = range(done, len(self.job.request))

    def prepare(self, result: Result) -> Callable[[], None]:
        parts = [(file, file.encode(result)) for file in self.files]

        def write() -> None:
            for file, rows in parts:
                file.write(rows)

        return write
