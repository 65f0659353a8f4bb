"""A model at work for the command line: a small request at once, a large one as a job; and what is said meanwhile."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gan_serve.errors import GanServeError
from gan_serve.system.interrupt import deferred_signals
from gan_serve.system.text import path_bytes

if TYPE_CHECKING:
    from gan_serve.cli.progress import Progress
    from gan_serve.formats import Output
    from gan_serve.jobs.job import Job
    from gan_serve.repository import Model
    from gan_serve.request import Request
    from gan_serve.result import Result


STDOUT = "-"


@dataclass(frozen=True)
class Destination:
    """Where the answer goes, as the command line has it."""

    output: str | None
    format: str | None
    grid: bool
    images: int  # those asked for: what was named decides, not what could be read
    seed_given: bool


class Interrupted(GanServeError):
    """The job was stopped from outside, between two files."""

    def __init__(self, number: int, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done:,} of {total:,} done; the same command goes on from there")
        self.exit_code = 128 + number


def run_once(found: "Model", request: "Request", device: str, exact: bool, show: bool) -> "Result":
    """The whole answer."""
    from gan_serve.generator import Generator

    with ExitStack() as stack:
        generator = Generator(found, device=device, exact=exact)
        if found.metadata.any_size:
            generator = generator.with_tile_callback(stack.enter_context(_progress(request)).within)
        result = generator.run(request)
    if found.metadata.is_random:
        typer.echo(f"seed {request.seed}", err=True)
    if show:
        _draw(result)
    return result


def put(path: "Path | str", content: bytes) -> None:
    """Write a file and tell its path, or write to stdout."""
    from gan_serve.images.encoding import make_folder, write_atomic

    if str(path) == STDOUT:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    make_folder(Path(path).parent)
    write_atomic(Path(path), content)
    if Path(path).is_file():  # into /dev/stdout, nothing else belongs
        typer.echo(path_bytes(path))


def run_job(
    found: "Model", request: "Request", plan: "Output", device: str, exact: bool, scale: int, show: bool
) -> None:
    """Fill a folder, an array or a file of lines, or what is left of it to do.

    Raises:
        Interrupted: a signal asked to stop.
    """
    from gan_serve.generator import Generator
    from gan_serve.jobs.job import Job
    from gan_serve.jobs.run import job_threads, run_job

    job = Job(found.metadata, found.sha256, request, plan, scale)
    with watched(job) as (progress, heed):

        def on_tile(done: int, tiles: int) -> None:
            progress.within(done, tiles)
            heed()

        threads = job_threads(found.metadata)
        generator = Generator(found, device=device, threads=threads, exact=exact, on_tile=on_tile)
        with closing(run_job(job, generator, progress.start)) as results:
            for result in results:
                if show and progress.done == 0:
                    _draw(result)
                progress.advance(len(result))
                heed()
    typer.echo(path_bytes(plan.path))


@contextmanager
def watched(job: "Job") -> Iterator[tuple["Progress", Callable[[], None]]]:
    """The job's progress, and a call that ends it between two steps once a signal has asked for that."""
    from gan_serve.cli.progress import Progress

    progress = Progress(len(job.request), job.request.seed if job.metadata.is_random else None)
    with deferred_signals() as signals, progress:

        def heed() -> None:
            if signals and progress.done < progress.total:
                raise Interrupted(signals[0], progress.done, progress.total)

        yield progress, heed


def with_unfinished_seed(plan: "Output", request: "Request") -> "Request":
    """The same request with the seed of the interrupted job, if one stands there."""
    from gan_serve.jobs.job import unfinished_seed

    seed = unfinished_seed(plan)
    return request if seed is None else replace(request, seed=seed)


def _progress(request: "Request") -> "Progress":
    from gan_serve.cli.progress import Progress

    return Progress(len(request), None)


def _draw(result: "Result") -> None:
    from rich.console import Console

    from gan_serve.cli.terminal import draw

    draw(result, Console(stderr=True))
