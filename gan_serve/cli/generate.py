"""gan-serve generate: make images or numbers, and write them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_serve.cli.cluster import check_supported, run_on_cluster
from gan_serve.cli.images import readable
from gan_serve.cli.numbers import write_numbers, writes_numbers
from gan_serve.cli.options import DeviceOption, InexactOption, ModelsOption, find_model
from gan_serve.cli.run import STDOUT, Destination, run_job, run_once, with_unfinished_seed, write_output
from gan_serve.errors import UsageError

if TYPE_CHECKING:
    from gan_serve.formats import Output
    from gan_serve.repository import Model
    from gan_serve.request import Request


def generate(
    model: Annotated[str, typer.Option(metavar="NAME", help="A model from gan-serve list.")],
    count: Annotated[int, typer.Option(metavar="N", help="Number of images, for each value of a list.")] = 1,
    seed: Annotated[int | None, typer.Option(metavar="S", help="The same seed gives the same images.")] = None,
    index: Annotated[int, typer.Option(metavar="I", help="Start with image I of the seed.")] = 0,
    walk_to: Annotated[
        int | None, typer.Option(metavar="S", help="Walk from the seed's image to the image of seed S.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Number of images of the walk, with both ends.", show_default="16")
    ] = None,
    step: Annotated[int | None, typer.Option(metavar="K", help="Only image K of the walk, counted from 0.")] = None,
    mix_with: Annotated[
        int | None, typer.Option(metavar="S", help="Mix each of N images with each of N images of seed S.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="The latents to take from the seed of --mix-with.")
    ] = None,
    mix_index: Annotated[int | None, typer.Option(metavar="I", help="Mix only with image I of that seed.")] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE|DIR|-", help="The file or folder to write; - is stdout.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="png, webp, jpeg, gif or npy; json or jsonl for numbers.")
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Put all images into one image.")] = False,
    scale: Annotated[int, typer.Option(metavar="K", help="Enlarge each pixel to K x K.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Also show the images in the terminal.")] = False,
    device: DeviceOption = "auto",
    inexact: InexactOption = False,
    models: ModelsOption = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Fill a folder with a Ray cluster whose machines share it. ADDRESS is the cluster's address, auto for "
            "a cluster on this machine, or local to start one.",
        ),
    ] = None,
    **inputs: Any,
) -> None:
    """Generate images, or compute numbers.

    Images are written to the current folder, or to --output, and the path is printed. Each file records how to
    reproduce it. Several images make a folder, an animation (.gif or .webp), or one image with --grid. To resume an
    interrupted job, run the same command again. Files that gan-serve did not make are never overwritten. Numbers are
    printed as JSON, one line per image.
    """
    from gan_serve.formats import is_animated
    from gan_serve.latent_mixing import make_mixing
    from gan_serve.media import medium_of
    from gan_serve.request import make_request

    loaded = find_model(model, models)
    mixing = make_mixing(walk_to=walk_to, steps=steps, step=step, mix_with=mix_with, mix=mix, mix_index=mix_index)
    if ray is not None:
        check_supported(loaded.metadata, output, show, mixing, inexact)
    animated = is_animated(output, format, medium_of(loaded.metadata), grid=grid)
    with readable(loaded.metadata, inputs, animated=animated) as (values, left_out):
        request = make_request(loaded.metadata, values, count=count, seed=seed, index=index, mixing=mixing)
        to = Destination(output, format, grid, len(request) + left_out, has_seed=seed is not None)
        if not writes_numbers(loaded.metadata, to):
            _make_images(loaded, request, to, scale, show, device, not inexact, ray)
        elif show or scale != 1:
            what = f"{to.format} holds" if loaded.metadata.drawn_outputs else f"{model} returns"
            raise UsageError(f"{what} numbers; leave out {'--show' if show else '--scale'}")
        elif ray is not None:
            raise UsageError("--ray makes images; leave out --ray, or --format")
        else:
            write_numbers(loaded, request, to, device, not inexact)


def _make_images(
    model: "Model",
    request: "Request",
    to: Destination,
    scale: int,
    show: bool,
    device: str,
    exact: bool,
    ray: str | None,
) -> None:
    from gan_serve.formats import stdout_format
    from gan_serve.jobs.writers import check_apart, check_replaceable
    from gan_serve.media import medium_of
    from gan_serve.outputs.panels import panel_files

    columns = _columns(model, request, scale, to.grid)
    if to.output == STDOUT:
        known = stdout_format(to.format, medium_of(model.metadata), images=to.images, grid=to.grid)
        _check_format(model, request, known, scale, to.grid)
        write_output(STDOUT, run_once(model, request, device, exact, show).encode(known, scale=scale, columns=columns))
        return
    plan = _plan(model, request, to)
    if plan.folder:
        check_apart(plan.path, request.files)
    else:
        _check_format(model, request, plan.format, scale, to.grid)
    resumed = request if to.has_seed else with_unfinished_seed(plan, request)
    if ray is not None:
        run_on_cluster(model, resumed, plan, device, scale, ray)
    elif plan.folder or plan.format == "npy":
        run_job(model, resumed, plan, device, exact, scale, show)
    else:
        for file in panel_files(model.metadata, plan.path, plan.format):
            check_replaceable(file.path, request.files)
        result = run_once(model, request, device, exact, show)
        for path, content in result.encode_files(plan.path, plan.format, scale=scale, columns=columns):
            write_output(path, content)


def _check_format(model: "Model", request: "Request", format: str, scale: int, grid: bool) -> None:
    """Reject a file that could not be written, before anything is computed."""
    from gan_serve.images.pixels import check_length
    from gan_serve.outputs.panels import array_shape, panels_of

    for panel in panels_of(model.metadata):
        if format == "npy":
            array_shape(model.metadata, panel)
        if format in panel.medium.animations and len(request) > 1 and not grid:
            check_length(*panel.largest_size(request), len(request), scale)


def _columns(model: "Model", request: "Request", scale: int, grid: bool) -> int | None:
    from gan_serve.outputs.panels import check_sizes
    from gan_serve.result import grid_columns

    columns = grid_columns(request) if grid else None
    check_sizes(model.metadata, request, columns, scale)
    return columns


def _plan(model: "Model", request: "Request", to: Destination) -> "Output":
    from gan_serve.formats import plan_output, writes_one_image
    from gan_serve.media import medium_of
    from gan_serve.naming import request_stem

    medium = medium_of(model.metadata)
    with_seed = to.has_seed or writes_one_image(to.images, to.format, medium, grid=to.grid)
    stem = request_stem(model.metadata, request, with_seed=with_seed)
    return plan_output(to.output, to.format, medium, stem=stem, images=to.images, grid=to.grid)
