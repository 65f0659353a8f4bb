"""A folder of images, filled by the processes of a Ray cluster."""

import functools
import logging
import os
import platform
import socket
from collections import abc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from gan_serve.errors import Failure, GanServeError, UsageError
from gan_serve.generator import Generator, batch_size
from gan_serve.jobs.job import Job
from gan_serve.jobs.writers import Folder, prepare_files
from gan_serve.repository import Model
from gan_serve.runtime import one_line, parse_device

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ModuleNotFoundError as error:
    raise Failure(
        f'Ray is not installed (no {error.name}); install it with: pip install "gan-serve[cpu,ray]"'
    ) from None

_BATCHES = 4  # of a shard; one alone would hardly take longer than to be sent about
_PATIENCE = 10.0  # seconds for a cluster to answer
_FAREWELL = 10.0  # seconds for processes to drop what they were writing
_BEAT = 0.5  # seconds after which the caller hears that nothing is done yet


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """A connection to the cluster at the address, to one that runs here (`auto`), or to a new one (`local`).

    Raises:
        Failure: there is none.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody asked to be counted
    local = {"include_dashboard": False} if address == "local" else {}
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **local)
    except Exception as error:  # whatever is wrong with the address, the network or the versions
        raise Failure(f"no Ray cluster at {address!r} ({one_line(error)}); start one, or use --ray local") from None
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Ray would wait for minutes where nobody listens."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), _PATIENCE).close()


def run_job(job: Job, model: Model, device: str, on_start: abc.Callable[[int], None]) -> abc.Generator[int, None, None]:
    """Make what an earlier call left undone; tells how much was there, then how many images more are on the disk.

    It yields twice a second at least, so that its caller can end it. A shard whose process dies is made again.

    Raises:
        UsageError: a device that Ray cannot give.
        Failure: an image cannot be made or written, or the nodes do not share the folder.
    """
    kind = _kind(device)
    with Folder(job) as folder:
        on_start(len(job.request) - len(folder.pending))
        size = _BATCHES * batch_size(job.metadata)
        shards = (folder.pending[at : at + size] for at in range(0, len(folder.pending), size))
        make = ray.remote(_make).options(num_cpus=1, num_gpus=int(kind == "cuda"))
        yield from _in_flight(make, (ray.put(job), [ray.put(model)], kind), shards)


def _in_flight(make: Any, given: tuple[Any, ...], shards: Iterator[Sequence[int]]) -> Iterator[int]:
    """Few shards under way at a time, in whatever order they end."""
    flying: list[Any] = []
    try:
        for shard in shards:
            flying.append(make.remote(*given, shard))
            while len(flying) >= _window():
                yield _land(flying)
        while flying:
            yield _land(flying)
    finally:
        for each in flying:
            ray.cancel(each)
        if flying:
            ray.wait(flying, num_returns=len(flying), timeout=_FAREWELL)


def _land(flying: list[Any]) -> int:
    done, flying[:] = ray.wait(flying, timeout=_BEAT)
    try:
        return sum(ray.get(done))
    except RayTaskError as error:
        _tell(error.cause)
    except RayError as error:
        _tell(error)


def _tell(error: Exception) -> NoReturn:
    if isinstance(error, GanServeError):
        raise error from None
    raise Failure(f"a process of the cluster failed ({one_line(error)}); the same command goes on from there") from None


def _window() -> int:
    """Twice as many as the cluster runs at once, so that none of it waits, and one that grows is asked for more."""
    return 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))


def _kind(device: str) -> str:
    """Of the processes: a GPU has to be asked of Ray, which chooses one for each."""
    if parse_device(device) != parse_device(device.partition(":")[0]):
        raise UsageError(f"Ray chooses the GPU, not {device!r}; use --device cuda, or leave it out for processors")
    return "cuda" if device.startswith("cuda") else "cpu"


def _make(job: Job, model: Sequence[Any], device: str, places: Sequence[int]) -> int:
    """In a process of the cluster: the files at these places."""
    _check_shared(job)
    generator, size = _load(model[0], device), batch_size(job.metadata)
    for at in range(0, len(places), size):
        prepare_files(job, generator.run_places(job.request, places[at : at + size]))()
    return len(places)


@functools.lru_cache(1)
def _load(model: Any, device: str) -> Generator:
    """Once in each process."""
    return Generator(ray.get(model), device=device, threads=1)


def _check_shared(job: Job) -> None:
    """The job's own file proves that this is the folder of the one who called, and this the same gan-serve."""
    try:
        shared = job.is_resumed()
    except Failure:
        shared = False
    if not shared:
        raise Failure(
            f"{job.output.path} on {platform.node()} is not the folder of this job; name one that all nodes share, "
            "and let them have the same gan-serve"
        )
