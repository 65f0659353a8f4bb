"""gan-serve reproduce: a generated file, made again from what it says about itself."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_serve.cli.options import DeviceOption, ModelsOption, open_repository
from gan_serve.cli.run import STDOUT, put
from gan_serve.errors import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gan_serve.images.encoding import GeneratedFile
    from gan_serve.metadata import ModelMetadata
    from gan_serve.provenance import Provenance
    from gan_serve.repository import Model, Repository
    from gan_serve.request import Inputs, Request


def reproduce(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A file that gan-serve wrote.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE|-", help="Where to; beside the image if not given, - is stdout.")
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the images that went in; beside it or here if not given."),
    ] = None,
    device: DeviceOption = "auto",
    models: ModelsOption = None,
) -> None:
    """Make a generated file again, and compare it in the format that it has.

    Examples:
    gan-serve reproduce acgan-label3-seed42.png
    gan-serve reproduce made/pix2pix-shoe-1f0c9a52.png --inputs photos/
    gan-serve reproduce old.png --output again.png --models old-models/
    """
    from gan_serve.formats import IMAGES, format_of
    from gan_serve.generator import Generator
    from gan_serve.images.encoding import decode_pixels, read_generated
    from gan_serve.jobs.writers import check_replaceable
    from gan_serve.provenance import parse_provenance

    generated = read_generated(image)
    provenance = parse_provenance(generated.document, str(image))
    model = _same_model(open_repository(models), provenance)
    folders = [inputs] if inputs else [image.parent, Path()]
    request = _request(model.metadata, provenance, generated, folders)
    format = format_of(output, IMAGES) if output and output.suffix else generated.format
    copy = output or image.with_stem(f"{image.stem}-reproduced")
    if str(copy) != STDOUT:
        check_replaceable(copy, [image, *request.files])
    result = Generator(model, device=device).run(request)
    encode = functools.partial(result.encode, scale=provenance.scale, columns=provenance.columns)
    again = encode(generated.format)
    put(copy, again if format == generated.format else encode(format))
    values = result.array if generated.format == "npy" else decode_pixels(again)
    if difference := _difference(generated.values, values):
        raise Failure(f"{copy} differs from {image}: {difference}")
    typer.echo("identical", err=True)


def _same_model(repository: "Repository", provenance: "Provenance") -> "Model":
    model = repository.find(provenance.model, provenance.version)
    if model.sha256 != provenance.sha256:
        raise Failure(
            f"{model.path} is another file (sha256 {model.sha256[:12]}...) than the one that made the image "
            f"(sha256 {provenance.sha256[:12]}...); get that one with --models DIR"
        )
    return model


def _request(
    metadata: "ModelMetadata",
    provenance: "Provenance",
    generated: "GeneratedFile",
    folders: "Sequence[Path]",
) -> "Request":
    """What was asked, checked: anyone may have written the file."""
    from gan_serve.images.pixels import check_size
    from gan_serve.request import make_request
    from gan_serve.result import largest_size
    from gan_serve.seeds import MAX_IMAGES

    request = provenance.request
    request = replace(request, inputs=tuple(_with_sources(row, folders) for row in request.inputs))
    wish = functools.partial(make_request, metadata, count=request.count, seed=request.seed, index=request.index)
    for row in request.inputs:
        wish(row, mixing=request.mixing, max_images=MAX_IMAGES // len(request.inputs))
    images = len(request) if provenance.columns else 1
    check_size(*largest_size(metadata, request), images, provenance.columns or 1, provenance.scale)
    if provenance.columns is None:
        _check_held(metadata, request, provenance.scale, generated)
    return request


def _check_held(metadata: "ModelMetadata", request: "Request", scale: int, generated: "GeneratedFile") -> None:
    """Refuse a request for more than the file holds; an animation holds images that are alike once."""
    from gan_serve.formats import ANIMATIONS
    from gan_serve.images.pixels import check_length
    from gan_serve.result import largest_size

    if generated.format in ANIMATIONS:
        check_length(*largest_size(metadata, request), len(request), scale)
    elif len(request) != (len(generated.values) if generated.format == "npy" else 1):
        raise Failure("the image does not hold what it says about its making; its text was changed")


def _with_sources(row: "Inputs", folders: "Sequence[Path]") -> "Inputs":
    from gan_serve.image_inputs import ImageRef, find_image

    return {name: find_image(value, folders) if isinstance(value, ImageRef) else value for name, value in row.items()}


def _difference(original: "NDArray[Any]", copy: "NDArray[Any]") -> str:
    import numpy as np

    if original.shape != copy.shape:
        return f"{original.shape} is now {copy.shape}"
    apart = np.abs(original.astype(float) - copy.astype(float))
    return f"{np.count_nonzero(apart)} of {apart.size} values, at most {apart.max():.3g} apart" if apart.any() else ""
