"""gan-serve generate: where the images go, and what is said about them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_serve.cli.cluster import check_drawn, run_on_cluster
from gan_serve.cli.images import readable
from gan_serve.cli.numbers import answer
from gan_serve.cli.options import DeviceOption, InexactOption, ModelsOption, find_model
from gan_serve.cli.run import STDOUT, Destination, put, run_job, run_once, with_unfinished_seed
from gan_serve.errors import UsageError

if TYPE_CHECKING:
    from gan_serve.formats import Output
    from gan_serve.repository import Model
    from gan_serve.request import Request


def generate(
    model: Annotated[str, typer.Option(metavar="NAME", help="A model that gan-serve list shows.")],
    count: Annotated[int, typer.Option(metavar="N", help="Images, for each value of a list.")] = 1,
    seed: Annotated[int | None, typer.Option(metavar="S", help="The same seed gives the same images.")] = None,
    index: Annotated[int, typer.Option(metavar="I", help="Begin with image I of the seed.")] = 0,
    walk_to: Annotated[
        int | None, typer.Option(metavar="S", help="Go from the image of the seed to that of seed S.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Images of that walk, both ends among them.", show_default="16")
    ] = None,
    step: Annotated[int | None, typer.Option(metavar="K", help="Image K of that walk alone; the first is 0.")] = None,
    mix_with: Annotated[
        int | None, typer.Option(metavar="S", help="Mix each image with each of as many of seed S: a square.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="The latents that are taken from that seed.")
    ] = None,
    mix_index: Annotated[int | None, typer.Option(metavar="I", help="Mix with image I of that seed alone.")] = None,
    output: Annotated[str | None, typer.Option(metavar="FILE|DIR|-", help="Where to; - is stdout.")] = None,
    format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="png, webp, jpeg, gif or npy; json or jsonl for numbers.")
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="All images in one image.")] = False,
    scale: Annotated[int, typer.Option(metavar="K", help="Enlarge each pixel to K x K.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Draw the images in the terminal, too.")] = False,
    device: DeviceOption = "auto",
    inexact: InexactOption = False,
    models: ModelsOption = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Fill a folder that all machines of a Ray cluster share: its address, auto for the one that runs "
            "here, or local for a new one.",
        ),
    ] = None,
    **inputs: Any,
) -> None:
    """Run a model: draw images, or answer with numbers.

    Without --output images are written here, and their path is printed; the files say how they were made. Several
    images make a folder, a .gif or .webp that moves, or one image with --grid. A large job that is interrupted goes
    on when the same command is called again. A file that gan-serve did not make is never replaced.
    Numbers are printed as JSON, a line for each image.
    """
    from gan_serve.formats import is_animated
    from gan_serve.latent_mixing import make_mixing
    from gan_serve.request import make_request

    found = find_model(model, models)
    mixing = make_mixing(walk_to=walk_to, steps=steps, step=step, mix_with=mix_with, mix=mix, mix_index=mix_index)
    if ray is not None:
        check_drawn(found.metadata, output, show, mixing, inexact)
    with readable(found.metadata, inputs, animated=is_animated(output, format, grid=grid)) as (values, left_out):
        request = make_request(found.metadata, values, count=count, seed=seed, index=index, mixing=mixing)
        to = Destination(output, format, grid, len(request) + left_out, seed_given=seed is not None)
        if found.metadata.image_outputs:
            _make_images(found, request, to, scale, show, device, not inexact, ray)
        elif show or scale != 1:
            raise UsageError(f"{model} answers with numbers; leave out {'--show' if show else '--scale'}")
        else:
            answer(found, request, to, device, not inexact)


def _make_images(
    found: "Model",
    request: "Request",
    to: Destination,
    scale: int,
    show: bool,
    device: str,
    exact: bool,
    ray: str | None,
) -> None:
    from gan_serve.formats import IMAGES, stdout_format
    from gan_serve.jobs.writers import check_apart, check_replaceable

    columns = _columns(found, request, scale, to.grid)
    if to.output == STDOUT:
        known = stdout_format(to.format, IMAGES, images=to.images, grid=to.grid)
        _check_format(found, request, known, scale, to.grid)
        put(STDOUT, run_once(found, request, device, exact, show).encode(known, scale=scale, columns=columns))
        return
    plan = _plan(found, request, to)
    if plan.folder:
        check_apart(plan.path, request.files)
    else:
        _check_format(found, request, plan.format, scale, to.grid)
    resumed = request if to.seed_given else with_unfinished_seed(plan, request)
    if ray is not None:
        run_on_cluster(found, resumed, plan, device, scale, ray)
    elif plan.folder or plan.format == "npy":
        run_job(found, resumed, plan, device, exact, scale, show)
    else:
        check_replaceable(plan.path, request.files)
        put(plan.path, run_once(found, request, device, exact, show).encode(plan.format, scale=scale, columns=columns))


def _check_format(found: "Model", request: "Request", format: str, scale: int, grid: bool) -> None:
    """Refuse one file that could not be written, before anything is computed."""
    from gan_serve.formats import ANIMATIONS
    from gan_serve.images.pixels import check_length
    from gan_serve.result import array_shape, largest_size

    if format == "npy":
        array_shape(found.metadata)
    if format in ANIMATIONS and len(request) > 1 and not grid:
        check_length(*largest_size(found.metadata, request), len(request), scale)


def _columns(found: "Model", request: "Request", scale: int, grid: bool) -> int | None:
    from gan_serve.images.pixels import check_size
    from gan_serve.result import grid_columns, largest_size

    columns = grid_columns(request) if grid else None
    check_size(*largest_size(found.metadata, request), len(request) if columns else 1, columns or 1, scale)
    return columns


def _plan(found: "Model", request: "Request", to: Destination) -> "Output":
    from gan_serve.formats import IMAGES, plan_output, writes_one_image
    from gan_serve.naming import request_stem

    with_seed = to.seed_given or writes_one_image(to.images, to.format, to.grid)
    stem = request_stem(found.metadata, request, with_seed=with_seed)
    return plan_output(to.output, to.format, IMAGES, stem=stem, images=to.images, grid=to.grid)
