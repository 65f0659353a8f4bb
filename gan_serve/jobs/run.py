"""Run large requests: batches on all processors, results in order, and memory independent of the request's size."""

from collections import abc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from gan_serve.generator import Generator, batch_size
from gan_serve.jobs.appending import AppendingWriter
from gan_serve.jobs.job import Job
from gan_serve.jobs.writers import FolderWriter, JobWriter, is_complete
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request
from gan_serve.result import Result
from gan_serve.system.cpus import cpu_count
from gan_serve.system.parallel import map_in_order

Part = TypeVar("Part")
Encoded = tuple[Result, Callable[[], None]]  # a partial result, and the function that writes it


def job_threads(metadata: ModelMetadata) -> int:
    """Return the number of threads that the generator of a large request should have.

    Batches run in parallel, and leave nothing to do for more threads. Images of any size may be too large to be in
    memory together: there, the tiles of one image run in parallel instead.
    """
    return cpu_count() if metadata.any_size else 1


def run_in_parts(generator: Generator, request: Request) -> Iterator[Result]:
    """Yield the result of a large request in parts. See `job_threads` for the generator's threads."""
    return _in_order(generator.metadata, range(len(request)), lambda places: generator.run_places(request, places))


def run_job(job: Job, generator: Generator, on_start: Callable[[int], None]) -> abc.Generator[Result, None, None]:
    """Finish a job. Call `on_start` with the number of existing images, then yield each part once it is written.

    See `job_threads` for the generator's threads.
    """
    if is_complete(job):
        on_start(len(job.request))
        return
    with FolderWriter(job) if job.output.folder else AppendingWriter(job) as writer:
        on_start(len(job.request) - len(writer.pending))
        for result, write in _in_order(job.metadata, writer.pending, lambda places: _make(writer, generator, places)):
            write()
            yield result


def _make(writer: JobWriter, generator: Generator, places: Sequence[int]) -> Encoded:
    result = generator.run_places(writer.job.request, places)
    return result, writer.prepare(result)


def _in_order(metadata: ModelMetadata, places: Sequence[int], make: Callable[[Sequence[int]], Part]) -> Iterator[Part]:
    """Yield the results of batches in order, with few of them in progress at a time."""
    size = batch_size(metadata)
    batches = (places[at : at + size] for at in range(0, len(places), size))
    return map_in_order(make, batches, 1 if metadata.any_size else cpu_count())
