"""A large request on its way to the disk, which can be interrupted and called again."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from gan_serve.errors import Failure
from gan_serve.media import read_document, write_atomic
from gan_serve.metadata import ModelMetadata
from gan_serve.naming import item_stem
from gan_serve.npy import npy_header, npy_rows
from gan_serve.output import Output
from gan_serve.provenance import item_request, make_provenance, same_pixels
from gan_serve.request import Request
from gan_serve.result import Result, image_tensor
from gan_serve.sampling import complete


@dataclass(frozen=True)
class Job:
    """What is to be made of a request, and where."""

    metadata: ModelMetadata
    sha256: str
    request: Request
    output: Output
    scale: int = 1

    def to_json(self) -> str:
        """What an unfinished job leaves behind, so that the same job can be known again."""
        provenance = make_provenance(self.metadata, self.sha256, self.request, scale=self.scale)
        return json.dumps({"format": self.output.format, "provenance": json.loads(provenance.to_json())})


class Target(Protocol):
    """Files that a job fills. `encode` may run in any thread and order, `write` is called in the order of the places."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None: ...

    def pending(self) -> Iterable[int]:
        """The places that are not on the disk yet."""

    def encode(self, result: Result) -> list[tuple[str, bytes]]:
        """Names and contents for a part of the answer."""

    def write(self, files: list[tuple[str, bytes]]) -> None:
        """Put them on the disk."""


def job_file(output: Output) -> Path:
    """The hidden file that stands beside unfinished work."""
    name = ".gan-serve-job.json" if output.folder else f".{output.path.name}.job.json"
    return (output.path if output.folder else output.path.parent) / name


def unfinished_seed(output: Output) -> int | None:
    """The seed with which an interrupted job began, if one stands there."""
    try:
        seed = json.loads(job_file(output).read_text())["provenance"]["seed"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return seed if isinstance(seed, int) else None


def open_target(job: Job) -> Target:
    """Begin the job's files, or go on with those of the same job.

    Raises:
        Failure: something else is there already.
    """
    file = job_file(job.output)
    resumed = file.exists()
    if resumed and file.read_text() != job.to_json():
        raise Failure(f"{job.output.path} holds another unfinished job; call that one again, or remove {file}")
    return FolderTarget(job, resumed) if job.output.folder else NpyTarget(job, resumed)


class FolderTarget:
    """One file for each image."""

    def __init__(self, job: Job, resumed: bool) -> None:
        self._job = job
        self._folder = job.output.path
        self._folder.mkdir(parents=True, exist_ok=True)
        self._existing = {path.name for path in self._folder.iterdir()}
        if not resumed:
            self._check_existing()

    def __enter__(self) -> Self:
        write_atomic(job_file(self._job.output), self._job.to_json().encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            job_file(self._job.output).unlink()

    def pending(self) -> Iterator[int]:
        return (place for place in range(len(self._job.request)) if self._name(place) not in self._existing)

    def encode(self, result: Result) -> list[tuple[str, bytes]]:
        return list(result.encode_each(self._job.output.format, self._job.scale))

    def write(self, files: list[tuple[str, bytes]]) -> None:
        for name, content in files:
            write_atomic(self._folder / name, content)

    def _name(self, place: int) -> str:
        # Nothing to compare with, nothing to draw: a new folder costs no time.
        return self._identity(place)[0] if self._existing else ""

    def _identity(self, place: int) -> tuple[str, Request]:
        job = self._job
        item = complete(job.metadata.inputs, job.request.seed, job.request.item(place))
        stem = item_stem(job.metadata.name, job.request.seed, item)
        return f"{stem}.{job.output.format}", item_request(job.request.seed, item)
