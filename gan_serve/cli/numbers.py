"""gan-serve generate with numbers as output: write JSON to stdout or a file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gan_serve.cli.run import STDOUT, Destination, run_job, with_unfinished_seed

if TYPE_CHECKING:
    from gan_serve.metadata import ModelMetadata
    from gan_serve.repository import Model
    from gan_serve.request import Request
    from gan_serve.result import Result


def writes_numbers(metadata: "ModelMetadata", to: Destination) -> bool:
    """Return whether the output is numbers: of a model that also makes images, if the format or the file says so."""
    from gan_serve.formats import named_format
    from gan_serve.media.numbers import MEDIUM as NUMBERS

    named = to.format or named_format(Path(to.output or ""))
    return not metadata.drawn_outputs or (bool(metadata.numeric_outputs) and named in NUMBERS.names)


def write_numbers(model: "Model", request: "Request", to: Destination, device: str, exact: bool) -> None:
    """Write the numbers of each image. On stdout, each part appears as soon as it is computed."""
    from gan_serve.formats import plan_output, stdout_format
    from gan_serve.media.numbers import MEDIUM as NUMBERS
    from gan_serve.naming import request_stem

    if to.output in (None, STDOUT):
        stdout_format(to.format, NUMBERS, images=to.images, grid=to.grid)
        for result in _run(model, request, device, exact):
            sys.stdout.buffer.write(result.encode(NUMBERS.default))
            sys.stdout.buffer.flush()
        return
    stem = request_stem(model.metadata, request)
    plan = plan_output(to.output, to.format, NUMBERS, stem=stem, images=to.images, grid=to.grid)
    resumed = request if to.has_seed else with_unfinished_seed(plan, request)
    run_job(model, resumed, plan, device, exact, scale=1, show=False)


def _run(model: "Model", request: "Request", device: str, exact: bool) -> "Iterator[Result]":
    from gan_serve.generator import BATCH, Generator
    from gan_serve.jobs.run import job_threads, run_in_parts

    threads = job_threads(model.metadata) if len(request) > BATCH else None
    if model.metadata.is_random:
        typer.echo(f"seed {request.seed}", err=True)
    return run_in_parts(Generator(model, device=device, threads=threads, exact=exact), request)
