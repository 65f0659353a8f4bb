"""Large requests: batches over all processors, results in order, memory that does not grow with the request."""

from collections import abc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from gan_serve.generator import Generator, batch_size
from gan_serve.jobs.appending import open_rows
from gan_serve.jobs.job import Job
from gan_serve.jobs.writers import Folder, JobWriter, is_complete
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request
from gan_serve.result import Result
from gan_serve.system.cpus import cpu_count
from gan_serve.system.parallel import map_in_order

Part = TypeVar("Part")
Work = tuple[Result, Callable[[], None]]  # a part of the answer, and the call that writes it


def job_threads(metadata: ModelMetadata) -> int:
    """Threads of the generator for a large request.

    Batches run side by side, and so leave nothing for more threads to do. But several images of any size may be too
    large to be in memory at once: there the tiles of one image run side by side.
    """
    return cpu_count() if metadata.any_size else 1


def run_in_parts(generator: Generator, request: Request) -> Iterator[Result]:
    """The answer to a large request, part after part; see `job_threads` for the generator's threads."""
    return _in_order(generator.metadata, range(len(request)), lambda places: generator.run_places(request, places))


def run_job(job: Job, generator: Generator, on_start: Callable[[int], None]) -> abc.Generator[Result, None, None]:
    """Make what an earlier call left undone; tells how much was there, then yields each part once it is written.

    See `job_threads` for the generator's threads.
    """
    if is_complete(job):
        on_start(len(job.request))
        return
    with Folder(job) if job.output.folder else open_rows(job) as target:
        on_start(len(job.request) - len(target.pending))
        for result, write in _in_order(job.metadata, target.pending, lambda places: _make(target, generator, places)):
            write()
            yield result


def _make(target: JobWriter, generator: Generator, places: Sequence[int]) -> Work:
    result = generator.run_places(target.job.request, places)
    return result, target.prepare(result)


def _in_order(metadata: ModelMetadata, places: Sequence[int], make: Callable[[Sequence[int]], Part]) -> Iterator[Part]:
    """Batches in their order, few of them under way at a time."""
    size = batch_size(metadata)
    batches = (places[at : at + size] for at in range(0, len(places), size))
    return map_in_order(make, batches, 1 if metadata.any_size else cpu_count())
