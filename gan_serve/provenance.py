"""What a generated file says about how it was made; enough to make it again."""

import json
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
_LONGEST = 2**26  # of the JSON document in a file that anyone may have written


@dataclass(frozen=True)
class Provenance:
    """The model, the request, and how the arrays became pixels; the fields are the keys of the JSON document."""

    gan_serve: str
    model: str
    version: int
    sha256: str
    seed: int
    index: int
    count: int
    inputs: tuple[Inputs, ...]  # one for each row of images
    scale: int = 1
    columns: int | None = None  # of a grid; None where every image stands alone
    blend: LatentMixing | None = None  # with a second seed; where there is none, the document has no such key

    def __post_init__(self) -> None:
        if not self.inputs or self.scale < 1 or (self.columns is not None and self.columns < 1):
            raise ValueError("an image has one row, column and pixel at least")

    @property
    def request(self) -> Request:
        """What was asked of the model."""
        return Request(self.seed, self.index, self.count, self.inputs, self.blend)

    def to_json(self) -> str:
        """The document as it stands in the file."""
        return _ENCODER.encode({name: value for name, value in vars(self).items() if name != "blend" or value})


def make_provenance(
    metadata: ModelMetadata, sha256: str, request: Request, *, scale: int = 1, columns: int | None = None
) -> Provenance:
    """What is to be said of images that this version of gan-serve makes."""
    return Provenance(**_fields(metadata, sha256, request, scale, columns))


def write_provenance(
    metadata: ModelMetadata, sha256: str, request: Request, *, scale: int = 1, columns: int | None = None
) -> str:
    """The same as it stands in the file, made without the checks that a request has passed."""
    return _ENCODER.encode(_fields(metadata, sha256, request, scale, columns))


def _fields(metadata: ModelMetadata, sha256: str, request: Request, scale: int, columns: int | None) -> dict[str, Any]:
    fields = {
        "gan_serve": gan_serve.__version__,
        "model": metadata.name,
        "version": metadata.version,
        "sha256": sha256,
        "seed": request.seed,
        "index": request.index,
        "count": request.count,
        "inputs": request.inputs,
        "scale": scale,
        "columns": columns,
    }
    return fields if request.mixing is None else {**fields, "blend": request.mixing}


def item_request(seed: int, item: Item) -> Request:
    """The request for one image alone."""
    return Request(seed, item.index, 1, (item.inputs,), item.mixing)


def same_pixels(document: str, provenance: Provenance) -> bool:
    """Whether a file's document tells of the same image; the version of gan-serve that wrote it does not matter."""
    try:
        return bool(json.loads(document) | _WRITER == json.loads(provenance.to_json()) | _WRITER)
    except (ValueError, TypeError):
        return False


def parse_provenance(document: str, source: str) -> Provenance:
    """Read and check the document found in `source` (a file's name, for the messages).

    Raises:
        Failure: gan-serve did not write it.
    """
    if len(document) > _LONGEST:
        raise Failure(f"{source}: what it says about its making is too long; gan-serve did not write it")
    try:
        return decode(Provenance, json.loads(document))
    except ValidationError as error:
        raise Failure(f"{source}: what it says about its making is {error}") from None
    except (ValueError, RecursionError) as error:
        raise Failure(f"{source}: what it says about its making is no JSON ({error})") from None


def _plain(value: object) -> dict[str, object]:
    """A second seed as it stands in JSON, or an image, of which a request may hold more."""
    if isinstance(value, Interpolation | StyleMix):
        return vars(value)
    if isinstance(value, ImageRef):
        frame = {} if value.frame is None else {"frame": value.frame}
        return {"file": value.file, "sha256": value.sha256, **frame}
    raise TypeError(f"{value!r} is no value of an input")


_ENCODER = json.JSONEncoder(default=_plain)
