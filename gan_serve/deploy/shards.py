"""Fill a folder of images with the processes of a Ray cluster."""

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
from gan_serve.jobs.writers import FolderWriter, prepare_files
from gan_serve.repository import Model
from gan_serve.runtime import one_line, parse_device

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ModuleNotFoundError as error:
    raise Failure(
        f'Ray is not installed (no {error.name}); install it with: pip install "gan-serve[cpu,ray]"'
    ) from None

_BATCHES = 4  # batches per shard: computing a single batch hardly takes longer than scheduling it
_CONNECT_TIMEOUT = 10.0  # seconds
_CANCEL_TIMEOUT = 10.0  # seconds for processes to discard unfinished files
_POLL_INTERVAL = 0.5  # seconds; the longest time between two progress reports


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Connect to the cluster at an address, to the one on this machine (`auto`), or to a new one (`local`).

    Raises:
        Failure: There is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    local = {"include_dashboard": False} if address == "local" else {}
    try:
        _check_reachable(address)
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **local)
    except Exception as error:  # Ray raises many errors for addresses, networks and versions
        raise Failure(f"no Ray cluster at {address!r} ({one_line(error)}); start one, or use --ray local") from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Connect once, because Ray would wait for minutes if nothing listens at the address."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), _CONNECT_TIMEOUT).close()


Made = tuple[int, list[str]]  # images on disk, and the lines about their numbers


def run_job(
    job: Job, model: Model, device: str, on_start: abc.Callable[[int], None]
) -> abc.Generator[Made, None, None]:
    """Finish a job. Call `on_start` with the number of existing images, then yield the new images on disk.

    It yields at least twice a second, so that the caller can stop it. Ray repeats a shard whose process dies.

    Raises:
        UsageError: Ray cannot assign the device.
        Failure: An image cannot be made or written, or the nodes do not share the folder.
    """
    kind = _kind(device)
    with FolderWriter(job) as writer:
        on_start(len(job.request) - len(writer.pending))
        size = _BATCHES * batch_size(job.metadata)
        shards = (writer.pending[at : at + size] for at in range(0, len(writer.pending), size))
        make = ray.remote(_make).options(num_cpus=1, num_gpus=int(kind == "cuda"))
        yield from _in_flight(make, (ray.put(job), [ray.put(model)], kind), shards)


def _in_flight(make: Any, arguments: tuple[Any, ...], shards: Iterator[Sequence[int]]) -> Iterator[Made]:
    """Run few shards at a time, and yield their images as they finish."""
    running: list[Any] = []
    try:
        for shard in shards:
            running.append(make.remote(*arguments, shard))
            while len(running) >= _window():
                yield _wait_for_one(running)
        while running:
            yield _wait_for_one(running)
    finally:
        for each in running:
            ray.cancel(each)
        if running:
            ray.wait(running, num_returns=len(running), timeout=_CANCEL_TIMEOUT)


def _wait_for_one(running: list[Any]) -> Made:
    """Remove a finished shard from `running`, and return its images; none if none finishes in time."""
    done, running[:] = ray.wait(running, timeout=_POLL_INTERVAL)
    try:
        return ray.get(done)[0] if done else (0, [])
    except RayTaskError as error:
        _fail(error.cause)
    except RayError as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, GanServeError):
        raise error from None
    raise Failure(f"a process of the cluster failed ({one_line(error)}); repeat the command to resume") from None


def _window() -> int:
    """Return the number of shards to submit: twice the cluster's processors, to keep even a growing cluster busy."""
    return 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))


def _kind(device: str) -> str:
    """Return the device of the processes, `cpu` or `cuda`. Ray assigns each process its GPU."""
    if parse_device(device) != parse_device(device.partition(":")[0]):
        raise UsageError(f"{device!r} selects a GPU, but Ray assigns the GPUs; use --device cuda, or cpu")
    return "cuda" if device.startswith("cuda") else "cpu"


def _make(job: Job, model: Sequence[Any], device: str, places: Sequence[int]) -> Made:
    """Make the files at these positions, in a process of the cluster."""
    _check_shared(job)
    generator, size = _load(model[0], device), batch_size(job.metadata)
    lines: list[str] = []
    for at in range(0, len(places), size):
        result = generator.run_places(job.request, places[at : at + size])
        prepare_files(job, result)()
        lines += result.summaries()
    return len(places), lines


@functools.lru_cache(1)
def _load(model: Any, device: str) -> Generator:
    """Load the model, once per process."""
    return Generator(ray.get(model), device=device, threads=1)


def _check_shared(job: Job) -> None:
    """Check by the job file that this is the caller's folder, and the same gan-serve."""
    try:
        shared = job.is_resumed()
    except Failure:
        shared = False
    if not shared:
        raise Failure(
            f"{job.output.path} on {platform.node()} is not the folder of this job; use a folder that all nodes share, "
            "and the same gan-serve on all nodes"
        )
