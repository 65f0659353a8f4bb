"""gan-serve generate with a model that answers with numbers: JSON, on stdout or in a file."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from gan_serve.output import Output
    from gan_serve.repository import Model
    from gan_serve.request import Request
    from gan_serve.result import Result


def answer(found: "Model", request: "Request", output: str | None, format: str | None, grid: bool, device: str) -> None:
    """Tell the numbers of each image, on stdout as soon as they are known."""
    from gan_serve.naming import request_stem
    from gan_serve.output import NUMBERS, plan_output, stdout_format

    if output in (None, "-"):
        stdout_format(format, NUMBERS, images=len(request), grid=grid)
        for result in _run(found, request, device):
            sys.stdout.buffer.write(result.encode())
            sys.stdout.buffer.flush()
        return
    stem = request_stem(found.metadata, request)
    plan = plan_output(output, format, NUMBERS, stem=stem, images=len(request), grid=grid)
    _write(plan, _run(found, request, device))
    typer.echo(plan.path)


def _run(found: "Model", request: "Request", device: str) -> "Iterator[Result]":
    from gan_serve.bulk import run_in_parts
    from gan_serve.generator import BATCH, Generator, threads_for

    threads = threads_for(found.metadata, len(request)) if len(request) <= BATCH else 1
    if found.metadata.draws:
        typer.echo(f"seed {request.seed}", err=True)
    return run_in_parts(Generator(found, device=device, threads=threads), request)


def _write(plan: "Output", results: "Iterator[Result]") -> None:
    from gan_serve.media import make_folder, write_atomic

    make_folder(plan.path if plan.folder else plan.path.parent)
    if not plan.folder:
        write_atomic(plan.path, b"".join(result.encode() for result in results))
        return
    for result in results:
        for name, content in result.encode_each(plan.format):
            write_atomic(plan.path / name, content)
