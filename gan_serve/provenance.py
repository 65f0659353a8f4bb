"""Provenance: the JSON document in a generated file with which it can be reproduced."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gan_serve
from gan_serve.errors import Failure
from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, LatentMixing, StyleMix
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Inputs, Item, Request
from gan_serve.schema import ValidationError, decode

_WRITER = {"gan_serve": ""}
_MAX_LENGTH = 2**26  # of the JSON document; the file may come from anywhere


@dataclass(frozen=True)
class Provenance:
    """The model, the request, and how arrays became pixels. Field names are the keys of the JSON document."""

    gan_serve: str
    model: str
    version: int
    sha256: str
    seed: int
    index: int
    count: int
    inputs: tuple[Inputs, ...]  # one per row of images
    scale: int = 1
    columns: int | None = None  # of a grid; None: not a grid
    blend: LatentMixing | None = None  # the request's mixing
    output: str | None = None  # the name of an output with files of its own; None: the first image

    def __post_init__(self) -> None:
        if not self.inputs or self.scale < 1 or (self.columns is not None and self.columns < 1):
            raise ValueError("an image has at least one row, column and pixel")

    @property
    def request(self) -> Request:
        """The request for the model."""
        return Request(self.seed, self.index, self.count, self.inputs, self.blend)

    def to_json(self) -> str:
        """Return the document as the file stores it."""
        return _ENCODER.encode(_without_absent(vars(self)))


def make_provenance(
    metadata: ModelMetadata,
    sha256: str,
    request: Request,
    *,
    scale: int = 1,
    columns: int | None = None,
    output: str | None = None,
) -> Provenance:
    """Return the provenance of images made by this version of gan-serve."""
    return Provenance(**_fields(metadata, sha256, request, scale=scale, columns=columns, output=output))


def write_provenance(
    metadata: ModelMetadata,
    sha256: str,
    request: Request,
    *,
    scale: int = 1,
    columns: int | None = None,
    output: str | None = None,
) -> str:
    """Return the provenance as the file stores it, without repeating the request's checks."""
    fields = _fields(metadata, sha256, request, scale=scale, columns=columns, output=output)
    return _ENCODER.encode(_without_absent(fields))


def _fields(metadata: ModelMetadata, sha256: str, request: Request, **options: Any) -> dict[str, Any]:
    return {
        "gan_serve": gan_serve.__version__,
        "model": metadata.name,
        "version": metadata.version,
        "sha256": sha256,
        "seed": request.seed,
        "index": request.index,
        "count": request.count,
        "inputs": request.inputs,
        "scale": options["scale"],
        "columns": options["columns"],
        "blend": request.mixing,
        "output": options["output"],
    }


def _without_absent(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what most files lack."""
    return {name: value for name, value in fields.items() if value is not None or name not in ("blend", "output")}


def item_request(seed: int, item: Item) -> Request:
    """Return the request for one image."""
    return Request(seed, item.index, 1, (item.inputs,), item.mixing)


def same_pixels(document: str, provenance: Provenance) -> bool:
    """Return whether a file's document describes the same image, regardless of the version of gan-serve."""
    try:
        return bool(json.loads(document) | _WRITER == json.loads(provenance.to_json()) | _WRITER)
    except (ValueError, TypeError):
        return False


def parse_provenance(document: str, source: str) -> Provenance:
    """Parse and validate the document. Error messages call its file `source`.

    Raises:
        Failure: The document is not valid, so gan-serve did not write it.
    """
    if len(document) > _MAX_LENGTH:
        raise Failure(f"{source}: its provenance is too long; gan-serve did not write it")
    try:
        return decode(Provenance, json.loads(document))
    except ValidationError as error:
        raise Failure(f"{source}: its provenance is {error}") from None
    except (ValueError, RecursionError) as error:
        raise Failure(f"{source}: its provenance is not JSON ({error})") from None


def _plain(value: object) -> dict[str, object]:
    """Return a mixing or an image as JSON. Of an image, only its identity is stored."""
    if isinstance(value, Interpolation | StyleMix):
        return vars(value)
    if isinstance(value, ImageRef):
        frame = {} if value.frame is None else {"frame": value.frame}
        return {"file": value.file, "sha256": value.sha256, **frame}
    raise TypeError(f"{value!r} is not an input value")


_ENCODER = json.JSONEncoder(default=_plain)
