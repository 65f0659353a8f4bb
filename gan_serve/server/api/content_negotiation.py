"""Response formats: which one a response has, and its bytes, which equal the files of the command line."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any

from gan_serve.media import all_formats, medium_of
from gan_serve.metadata import ModelMetadata
from gan_serve.outputs.panels import panels_of
from gan_serve.request import Request
from gan_serve.result import Result, grid_columns
from gan_serve.server.errors import ApiError, bad_request

MEDIA_TYPES = {**{format.name: format.media_type for format in all_formats().values()}, "zip": "application/zip"}
NUMBERS_HEADER = "Gan-Serve-Numbers"
_MAX_HEADER = 4096  # bytes that every client and proxy accepts
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in a ZIP, so that equal requests get equal bytes


@dataclass(frozen=True)
class ResponseFormat:
    """The format of a response, with its options."""

    format: str
    scale: int = 1
    columns: int | None = None  # of a grid

    @property
    def is_image(self) -> bool:
        """Whether the response is a single image or animation."""
        return MEDIA_TYPES[self.format].startswith("image/")


def possible_formats(metadata: ModelMetadata, images: int, grid: bool) -> tuple[str, ...]:
    """Return the formats that can hold the response, the default first."""
    medium = medium_of(metadata)
    if not medium.images:
        return medium.names
    if grid:
        return medium.images
    array = () if metadata.any_size else ("npy",)
    lines = ("jsonl",) if metadata.numeric_outputs else ()
    if images > 1:
        return ("zip", *array, "json", *medium.animations, *lines)
    single = (format.name for format in medium.formats if format.codec or format.holds == "images")
    return (*single, *array, "json", "zip", *lines)


def choose_format(
    metadata: ModelMetadata, request: Request, *, format: str | None, accept: str, grid: bool, scale: int
) -> ResponseFormat:
    """Return the format that the client named, or the best one that its Accept header allows.

    Raises:
        ApiError: the response cannot have that format, or Accept allows none.
    """
    if grid and not metadata.drawn_outputs:
        raise bad_request(f"{metadata.name} answers with numbers; leave out grid")
    possible = possible_formats(metadata, len(request), grid)
    if format is None:
        format = best_format(accept, possible)
    elif format not in possible:
        what = "a grid" if grid else "numbers" if not metadata.drawn_outputs else f"{len(request)} images"
        raise bad_request(f"{what} cannot be sent as {format[:40]!r}; use {', '.join(possible)}")
    return ResponseFormat(format, scale, grid_columns(request) if grid else None)


def best_format(accept: str, possible: Sequence[str]) -> str:
    """Return the format that an Accept header prefers; the first among equals.

    Raises:
        ApiError: the header allows none of them.
    """
    ranges = [_media_range(each) for each in accept.split(",") if each.strip()] or [("*/*", 1.0)]
    weights = {format: _weight(MEDIA_TYPES[format], ranges) for format in possible}
    best = max(possible, key=lambda format: weights[format])
    if weights[best] <= 0:
        types = ", ".join(MEDIA_TYPES[format] for format in possible)
        raise ApiError(HTTPStatus.NOT_ACCEPTABLE, f"Accept allows none of this response's types; use {types}")
    return best


def encode(result: Result, response_format: ResponseFormat, provider: str) -> bytes:
    """Return the body of a response.

    Raises:
        UsageError: the provenance is too large for the format's metadata.
    """
    format, scale = response_format.format, response_format.scale
    if format == "zip":
        numbers = result.encode_each("json") if result.metadata.numeric_outputs else ()
        return zip_files(chain(result.encode_each(medium_of(result.metadata).default, scale), numbers))
    if format == "json":
        return json.dumps(_document(result, scale, provider), allow_nan=False).encode()
    return result.encode(format, scale=scale, columns=response_format.columns)


def number_headers(result: Result, response_format: ResponseFormat) -> dict[str, str]:
    """Return the numbers of a response that is a file with the images of one item, as a header."""
    beside = result.metadata.numeric_outputs and response_format.format not in ("json", "jsonl", "zip")
    if not beside or len(result) > 1:
        return {}
    ((item, answer),) = zip(result.items, result.answers(), strict=True)
    text = json.dumps({name: value for name, value in answer.items() if name not in item.inputs})
    return {NUMBERS_HEADER: text} if len(text) <= _MAX_HEADER else {}


def zip_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a ZIP of named files. Files with equal names are equal, and are stored once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # without compression: images are compressed already
        for name, content in dict(files).items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def _document(result: Result, scale: int, provider: str) -> dict[str, object]:
    pairs = zip(result.items, result.answers(), strict=True)
    answers: list[dict[str, Any]] = [{"index": item.index, "values": answer} for item, answer in pairs]
    for panel in panels_of(result.metadata):
        images = result.drawing(panel.name).encode_each("png", scale)
        for answer, content in zip(answers, images, strict=True):
            place = answer.setdefault("others", {}) if panel.name else answer
            place[panel.name or "png"] = base64.b64encode(content).decode()
    return {
        "model": result.metadata.name,
        "version": result.metadata.version,
        "sha256": result.sha256,
        "provider": provider,
        "seed": result.seed,
        "answers": answers,
    }


def _media_range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    return name, float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0.0


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that matches the type."""
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if qualities := [quality for media_range, quality in ranges if media_range == name]:
            return max(qualities)
    return 0.0
