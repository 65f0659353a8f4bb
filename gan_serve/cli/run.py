"""Run a model for the command line: a small request at once, a large one as a job, with messages and progress."""

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
    """The output options of the command line."""

    output: str | None
    format: str | None
    grid: bool
    images: int  # requested images, including unreadable ones
    has_seed: bool  # whether the user gave the seed


class Interrupted(GanServeError):
    """A signal stopped the job between two files."""

    def __init__(self, number: int, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done:,} of {total:,} done; run the same command again to resume")
        self.exit_code = 128 + number


def run_once(model: "Model", request: "Request", device: str, exact: bool, show: bool) -> "Result":
    """Return the result of a whole request."""
    from gan_serve.generator import Generator

    with ExitStack() as stack:
        generator = Generator(model, device=device, exact=exact)
        if model.metadata.any_size:
            generator = generator.with_tile_callback(stack.enter_context(_progress(request)).within)
        result = generator.run(request)
    if model.metadata.is_random:
        typer.echo(f"seed {request.seed}", err=True)
    for line in result.summaries():
        typer.echo(line, err=True)
    if show:
        _draw(result)
    return result


def write_output(path: "Path | str", content: bytes) -> None:
    """Write a file and print its path, or write to stdout."""
    from gan_serve.images.encoding import make_folder, write_atomic

    if str(path) == STDOUT:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    make_folder(Path(path).parent)
    write_atomic(Path(path), content)
    if Path(path).is_file():  # not /dev/stdout
        typer.echo(path_bytes(path))


def run_job(
    model: "Model", request: "Request", plan: "Output", device: str, exact: bool, scale: int, show: bool
) -> None:
    """Write a folder, an array or a JSON Lines file, or resume writing it. Numbers beside images go to stderr.

    Raises:
        Interrupted: SIGINT or SIGTERM stopped the job.
    """
    from gan_serve.generator import Generator
    from gan_serve.jobs.job import Job
    from gan_serve.jobs.run import job_threads, run_job
    from gan_serve.jobs.writers import has_provenance

    job = Job(model.metadata, model.sha256, request, plan, scale)
    has_images = has_provenance(job)
    with monitored(job) as (progress, check_signals):

        def on_tile(done: int, tiles: int) -> None:
            progress.within(done, tiles)
            check_signals()

        threads = job_threads(model.metadata)
        generator = Generator(model, device=device, threads=threads, exact=exact, on_tile=on_tile)
        with closing(run_job(job, generator, progress.start)) as results:
            for result in results:
                if show and progress.done == 0:
                    _draw(result)
                progress.advance(len(result), result.summaries() if has_images else [])
                check_signals()
    typer.echo(path_bytes(plan.path))


@contextmanager
def monitored(job: "Job") -> Iterator[tuple["Progress", Callable[[], None]]]:
    """Yield the job's progress, and a function that raises Interrupted after SIGINT or SIGTERM."""
    from gan_serve.cli.progress import Progress

    progress = Progress(len(job.request), job.request.seed if job.metadata.is_random else None)
    with deferred_signals() as signals, progress:

        def check_signals() -> None:
            if signals and progress.done < progress.total:
                raise Interrupted(signals[0], progress.done, progress.total)

        yield progress, check_signals


def with_unfinished_seed(plan: "Output", request: "Request") -> "Request":
    """Return the request with the seed of an interrupted job at this output path, if there is one."""
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
