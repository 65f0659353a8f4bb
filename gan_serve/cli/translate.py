"""gan-serve translate: the short form of generate for image-to-image models."""

from typing import Annotated, Any

import typer

from gan_serve.cli.generate import generate
from gan_serve.cli.options import DeviceOption, InexactOption, ModelsOption, find_model
from gan_serve.errors import UsageError


def translate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model from gan-serve list.")],
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Files, folders, globs in quotes; - is stdin.")
    ],
    seed: Annotated[int | None, typer.Option(metavar="S", help="For models with random inputs.")] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE|DIR|-", help="The file or folder to write; - is stdout.")
    ] = None,
    format: Annotated[str | None, typer.Option(metavar="FORMAT", help="png, webp, jpeg, gif or npy.")] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Put all images into one image.")] = False,
    scale: Annotated[int, typer.Option(metavar="K", help="Enlarge each pixel to K x K.")] = 1,
    device: DeviceOption = "auto",
    inexact: InexactOption = False,
    models: ModelsOption = None,
    **inputs: Any,
) -> None:
    """Translate images into other images.

    This is the short form of gan-serve generate --model MODEL --image IMAGE.

    The output is written to the current folder, or to --output, and the path is printed. Each file records how to
    reproduce it. Unreadable images are reported and skipped. Several outputs make a folder, an animation (.gif or
    .webp), or one image with --grid. An animation stays one if --output is a .gif or a .webp.
    """
    metadata = find_model(model, models).metadata
    image = metadata.source_image
    if image is None:
        raise UsageError(f"{model} is not an image-to-image model; see: gan-serve generate --model {model} --help")
    values: dict[str, Any] = {**inputs, image.name: images}
    generate(
        model, seed=seed, output=output, format=format, grid=grid, scale=scale, device=device, inexact=inexact,
        models=models, **values,
    )  # fmt: skip
