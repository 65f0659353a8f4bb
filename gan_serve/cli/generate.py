"""gan-serve generate: where the images go, and what is said about them."""

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_serve.cli.options import DeviceOption, ModelsOption, find_model
from gan_serve.errors import GanServeError
from gan_serve.interrupt import noted_signals

if TYPE_CHECKING:
    from gan_serve.output import Output
    from gan_serve.repository import Model
    from gan_serve.request import Request
    from gan_serve.result import Result


class Interrupted(GanServeError):
    """The job was stopped from outside, between two files."""

    def __init__(self, number: int, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done:,} of {total:,} done; the same command goes on from there")
        self.exit_code = 128 + number


def generate(
    model: Annotated[str, typer.Option(metavar="NAME", help="A model that gan-serve list shows.")],
    count: Annotated[int, typer.Option(metavar="N", help="Images, for each value of a list.")] = 1,
    seed: Annotated[int | None, typer.Option(metavar="S", help="The same seed gives the same images.")] = None,
    index: Annotated[int, typer.Option(metavar="I", help="Begin with image I of the seed.")] = 0,
    output: Annotated[str | None, typer.Option(metavar="FILE|DIR|-", help="Where to; - is stdout.")] = None,
    format: Annotated[str | None, typer.Option(metavar="FORMAT", help="png, webp, jpeg or npy.")] = None,
    grid: Annotated[bool, typer.Option("--grid", help="All images in one picture.")] = False,
    scale: Annotated[int, typer.Option(metavar="K", help="Enlarge each pixel to K x K.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Draw the images in the terminal, too.")] = False,
    device: DeviceOption = "auto",
    models: ModelsOption = None,
    **inputs: Any,
) -> None:
    """Draw images with a model.

    Without --output they are written here, and their path is printed; the files say how they were made. A large job
    that is interrupted goes on when the same command is called again.
    """
    from gan_serve.request import make_request

    found = find_model(model, models)
    request = make_request(found.metadata, inputs, count=count, seed=seed, index=index)
    columns = _columns(found, request, scale, grid)
    if output == "-":
        _to_stdout(found, request, device, _stdout_format(request, format, grid), scale, columns, show)
        return
    plan = _plan(found, request, output, format, grid, seed_given=seed is not None)
    if plan.folder or plan.format == "npy":
        _run_job(found, request if seed is not None else _unfinished(plan, request), plan, device, scale, show)
    else:
        result = _run(found, request, device, show)
        _write(plan.path, result.encode(plan.format, scale=scale, columns=columns))
        typer.echo(plan.path)


def _columns(found: "Model", request: "Request", scale: int, grid: bool) -> int | None:
    from gan_serve.pixels import check_size
    from gan_serve.result import grid_columns, image_tensor

    columns = grid_columns(request) if grid else None
    check_size(image_tensor(found.metadata), len(request) if columns else 1, columns or 1, scale)
    return columns


def _plan(
    found: "Model", request: "Request", output: str | None, format: str | None, grid: bool, seed_given: bool
) -> "Output":
    from gan_serve.naming import request_stem
    from gan_serve.output import plan_output, writes_one_picture

    with_seed = seed_given or writes_one_picture(len(request), format, grid)
    stem = request_stem(found.metadata.name, request, with_seed=with_seed)
    return plan_output(output, format, stem=stem, images=len(request), grid=grid)


def _stdout_format(request: "Request", format: str | None, grid: bool) -> str:
    from gan_serve.output import plan_output

    return plan_output(f"-.{format or 'png'}", format, stem="", images=len(request), grid=grid).format


def _run(found: "Model", request: "Request", device: str, show: bool) -> "Result":
    from gan_serve.generator import Generator, threads_for

    result = Generator(found, device=device, threads=threads_for(found.metadata, len(request))).run(request)
    _say(f"seed {request.seed}")
    if show:
        _draw(result)
    return result


def _to_stdout(
    found: "Model", request: "Request", device: str, format: str, scale: int, columns: int | None, show: bool
) -> None:
    content = _run(found, request, device, show).encode(format, scale=scale, columns=columns)
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _unfinished(plan: "Output", request: "Request") -> "Request":
    """The same request with the seed of the interrupted job, if one stands there."""
    from gan_serve.job import unfinished_seed

    seed = unfinished_seed(plan)
    return request if seed is None else replace(request, seed=seed)


def _run_job(found: "Model", request: "Request", plan: "Output", device: str, scale: int, show: bool) -> None:
    from gan_serve.bulk import fill
    from gan_serve.cli.progress import Progress
    from gan_serve.generator import Generator
    from gan_serve.job import Job

    job = Job(found.metadata, found.sha256, request, plan, scale)
    generator = Generator(found, device=device, threads=1)
    progress = Progress(len(request), request.seed)
    with noted_signals() as signals, progress, closing(fill(job, generator, progress.start)) as results:
        for result in results:
            if show and progress.done == 0:
                _draw(result)
            progress.advance(len(result))
            if signals and progress.done < len(request):
                raise Interrupted(signals[0], progress.done, len(request))
    typer.echo(plan.path)


def _write(path: Path, content: bytes) -> None:
    from gan_serve.media import make_folder, write_atomic

    make_folder(path.parent)
    write_atomic(path, content)


def _draw(result: "Result") -> None:
    from rich.console import Console

    from gan_serve.terminal import draw

    draw(result, Console(stderr=True))


def _say(line: str) -> None:
    typer.echo(line, err=True)
