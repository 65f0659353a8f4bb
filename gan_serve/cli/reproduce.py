"""gan-serve reproduce: make a generated file again from its own provenance."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_serve.cli.options import DeviceOption, ModelsOption, open_repository
from gan_serve.cli.run import STDOUT, write_output
from gan_serve.errors import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gan_serve.images.encoding import GeneratedFile
    from gan_serve.metadata import ModelMetadata
    from gan_serve.outputs.panels import Panel
    from gan_serve.provenance import Provenance
    from gan_serve.repository import Model, Repository
    from gan_serve.request import Inputs, Request


def reproduce(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A file that gan-serve wrote.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE|-", help="The file to write; - is stdout. [default: beside the image]")
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The input images' folder. [default: the image's or the current folder]"),
    ] = None,
    device: DeviceOption = "auto",
    models: ModelsOption = None,
) -> None:
    """Generate a file again from its provenance, and compare both.

    Examples:
    gan-serve reproduce acgan-label3-seed42.png
    gan-serve reproduce outputs/pix2pix-shoe-1f0c9a52.png --inputs photos/
    gan-serve reproduce old.png --output again.png --models old-models/
    """
    from gan_serve.formats import format_of
    from gan_serve.generator import Generator
    from gan_serve.jobs.writers import check_replaceable
    from gan_serve.media.reading import decode_values, open_generated
    from gan_serve.outputs.panels import find_panel
    from gan_serve.provenance import parse_provenance

    generated = open_generated(image)
    provenance = parse_provenance(generated.document, str(image))
    model = _same_model(open_repository(models), provenance)
    folders = [inputs] if inputs else [image.parent, Path()]
    panel = find_panel(model.metadata, provenance.output)
    request = _request(model.metadata, provenance, panel, generated, folders)
    format = format_of(output, panel.medium) if output and output.suffix else generated.format
    copy = output or image.with_stem(f"{image.stem}-reproduced")
    if str(copy) != STDOUT:
        check_replaceable(copy, [image, *request.files])
    result = Generator(model, device=device).run(request)
    scale, columns = provenance.scale, provenance.columns
    encode = functools.partial(result.encode, scale=scale, columns=columns, output=provenance.output)
    again = encode(generated.format)
    write_output(copy, again if format == generated.format else encode(format))
    values = panel.array(result.outputs) if generated.format == "npy" else decode_values(again, generated.format)
    if difference := _difference(generated.values, values):
        raise Failure(f"{copy} differs from {image}: {difference}")
    typer.echo("identical", err=True)


def _same_model(repository: "Repository", provenance: "Provenance") -> "Model":
    model = repository.find(provenance.model, provenance.version)
    if model.sha256 != provenance.sha256:
        raise Failure(
            f"{model.path} (sha256 {model.sha256[:12]}...) is not the file that made the image "
            f"(sha256 {provenance.sha256[:12]}...); give the folder of that file with --models DIR"
        )
    return model


def _request(
    metadata: "ModelMetadata",
    provenance: "Provenance",
    panel: "Panel",
    generated: "GeneratedFile",
    folders: "Sequence[Path]",
) -> "Request":
    """Return the validated request. The file may come from anywhere."""
    from gan_serve.images.pixels import check_size
    from gan_serve.request import make_request
    from gan_serve.seeds import MAX_IMAGES

    request = provenance.request
    request = replace(request, inputs=tuple(_with_sources(row, folders) for row in request.inputs))
    check = functools.partial(make_request, metadata, count=request.count, seed=request.seed, index=request.index)
    for row in request.inputs:
        check(row, mixing=request.mixing, max_images=MAX_IMAGES // len(request.inputs))
    images = len(request) if provenance.columns else 1
    check_size(*panel.largest_size(request), images, provenance.columns or 1, provenance.scale)
    if provenance.columns is None:
        _check_held(panel, request, provenance.scale, generated)
    return request


def _check_held(panel: "Panel", request: "Request", scale: int, generated: "GeneratedFile") -> None:
    """Reject a request for more images than the file holds. An animation stores repeated frames once."""
    from gan_serve.images.pixels import check_length

    if generated.format in panel.medium.animations:
        check_length(*panel.largest_size(request), len(request), scale)
    elif len(request) != (len(generated.values) if generated.format == "npy" else 1):
        raise Failure("the image does not match its provenance, which was changed")


def _with_sources(row: "Inputs", folders: "Sequence[Path]") -> "Inputs":
    from gan_serve.image_inputs import ImageRef, find_image

    return {name: find_image(value, folders) if isinstance(value, ImageRef) else value for name, value in row.items()}


def _difference(original: "NDArray[Any]", copy: "NDArray[Any]") -> str:
    import numpy as np

    if original.shape != copy.shape:
        return f"{original.shape} is now {copy.shape}"
    gaps = np.abs(original.astype(float) - copy.astype(float))
    return f"{np.count_nonzero(gaps)} of {gaps.size} values, by up to {gaps.max():.3g}" if gaps.any() else ""
