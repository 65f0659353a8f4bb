"""gan-serve translate: the short form of generate for models that make images of images."""

from typing import Annotated, Any

import typer

from gan_serve.cli.generate import generate
from gan_serve.cli.options import DeviceOption, InexactOption, ModelsOption, find_model
from gan_serve.errors import UsageError


def translate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model that gan-serve list shows.")],
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Files, folders, globs in quotes; - is stdin.")
    ],
    seed: Annotated[int | None, typer.Option(metavar="S", help="For models that draw at random, too.")] = None,
    output: Annotated[str | None, typer.Option(metavar="FILE|DIR|-", help="Where to; - is stdout.")] = None,
    format: Annotated[str | None, typer.Option(metavar="FORMAT", help="png, webp, jpeg, gif or npy.")] = None,
    device: DeviceOption = "auto",
    inexact: InexactOption = False,
    models: ModelsOption = None,
    **inputs: Any,
) -> None:
    """Make other images of images: the short form of gan-serve generate --model MODEL --image IMAGE.

    Without --output they are written here, and their path is printed; the files say how they were made. Unreadable
    images are reported and skipped. An animation makes one if --output is a .gif or a .webp.
    """
    metadata = find_model(model, models).metadata
    image = metadata.source_image
    if image is None:
        raise UsageError(f"{model} makes no images of images; see: gan-serve generate --model {model} --help")
    values: dict[str, Any] = {**inputs, image.name: images}
    generate(model, seed=seed, output=output, format=format, device=device, inexact=inexact, models=models, **values)
