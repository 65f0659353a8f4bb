"""Parse a /v1 request (query, JSON, form or image) into a validated `Request`."""

import asyncio
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request as HttpRequest
from starlette.types import Message

from gan_serve.errors import short_repr
from gan_serve.image_inputs import ImageInput
from gan_serve.latent_mixing import make_mixing
from gan_serve.media import medium_of
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request, check_names, make_request
from gan_serve.server.api.uploads import decode_base64, read_head, safe_name
from gan_serve.server.errors import ApiError, bad_request, blamed_on_caller
from gan_serve.server.settings import Settings
from gan_serve.tensors import Image, Mask

_SECOND = ("walk_to", "steps", "step", "mix_with", "mix_index")  # the integer options of a second seed
_INTEGERS = ("count", "seed", "index", "scale", *_SECOND)
_OPTIONS = (*_INTEGERS, "mix", "grid", "format", "version")
_WHOLE = ""  # field name of an image that is the whole body, until the model's input is known
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_LONGEST_TEXT = 1000  # characters of a single value, such as "0-9,3,three"
_LONGEST_NAME = 100  # characters of a value in a list
_TAIL = 64  # bytes at the end of a form that must contain its last boundary
LARGE = 2**16  # bytes of JSON; larger bodies are parsed off the event loop

Fields = dict[str, Any]  # by name: text, JSON values or parts of a form; a list if a name is repeated
UploadedFile = tuple[str | None, bytes]  # name and content


@dataclass(frozen=True)
class ParsedRequest:
    """The fields of a request by kind, with their types checked. Images are still encoded."""

    values: dict[str, object]
    uploads: dict[str, list[UploadedFile]]
    integers: dict[str, int]
    mix: object = None
    format: str | None = None
    grid: bool = False

    @property
    def scale(self) -> int:
        """The factor by which images are enlarged."""
        return self.integers.get("scale", 1)


async def read_fields(request: HttpRequest) -> Fields:
    """Read the fields of a request from its query and its body.

    Raises:
        ApiError: the body is malformed, or a field is in both.
    """
    query = _group_by_name(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    if request.method in ("GET", "HEAD"):
        return query
    body = await _read_body(request)
    for name in query.keys() & body.keys():
        raise bad_request(f"{short_repr(name)} is in the query and in the body; send it once")
    return query | body


async def _read_body(request: HttpRequest) -> Fields:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _read_form(request)
    if kind == "application/json":
        body = await read_body(request)
        return parse_object(body) if len(body) <= LARGE else await asyncio.to_thread(parse_object, body)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return {_WHOLE: (None, await read_body(request))}
    message = (
        f"unsupported content type {short_repr(kind)}; send application/json, multipart/form-data, "
        "or a single image, for example as image/png"
    )
    raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


async def _read_form(request: HttpRequest) -> Fields:
    """Read the parts of a form, without the copy of the body that a Starlette request would keep."""
    tail = b""

    async def receive() -> Message:
        nonlocal tail
        message = await request.receive()
        tail = (tail + message.get("body", b""))[-_TAIL:]
        return message

    async with HttpRequest(request.scope, receive).form(max_files=1000, max_fields=100) as form:
        if not tail.rstrip().endswith(b"--"):  # the parser accepts incomplete forms
            raise bad_request("the form is truncated; it must end with its boundary and --")
        return {name: await _read_parts(value) for name, value in _group_by_name(form.multi_items()).items()}


async def read_body(request: HttpRequest) -> bytes:
    """Read the whole body, without the copy that a Starlette request would keep."""
    return b"".join([chunk async for chunk in request.stream()])


def parse_object(body: bytes | memoryview) -> dict[str, Any]:
    """Parse a JSON object. An empty body is an empty object.

    Raises:
        ApiError: the body is not a JSON object.
    """
    try:
        document = json.loads(bytes(body) or b"{}", parse_constant=_refuse_constant, **_number_parsers(len(body)))
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is not JSON ({str(error)[:100]})") from None
    if not isinstance(document, dict):
        raise bad_request('the body is not a JSON object; send {"name": value, ...}')
    return document


def _number_parsers(size: int) -> dict[str, Any]:
    """Return Python functions that parse the numbers of a large body: while C code parses, no other thread can run."""
    return {"parse_float": _read_float, "parse_int": _read_int} if size > LARGE else {}


def _read_float(text: str) -> float:
    return float(text)


def _read_int(text: str) -> int:
    return int(text)


def parse_request(metadata: ModelMetadata, fields: Fields, most: int) -> ParsedRequest:
    """Sort the fields into inputs and options, and check their types. `most` is the maximum number of images.

    Raises:
        ApiError: a field has the wrong type.
        UsageError: the model has no such input.
    """
    named = _with_whole_body(metadata, fields)
    check_names(metadata, (name for name in named if name not in _OPTIONS), _OPTIONS)
    if nulls := [name for name, value in named.items() if value is None]:
        raise bad_request(f"{nulls[0]} is null; give a value or leave it out")
    rest = dict(named)
    integers = {name: _integer(name, rest.pop(name)) for name in _INTEGERS if name in rest}
    format, grid = rest.pop("format", None), _boolean("grid", rest.pop("grid", False))
    if format is not None and not isinstance(format, str):
        raise bad_request("format is not a string; use png, for example")
    mix = _checked("mix", rest.pop("mix"), most) if "mix" in rest else None
    images = {tensor.name: tensor for tensor in metadata.image_inputs}
    uploads = {name: _images(images[name], rest.pop(name), most) for name in [*rest] if name in images}
    values = {name: _checked(name, value, most) for name, value in rest.items()}
    return ParsedRequest(values, uploads, integers, mix, format, grid)


def resolve(metadata: ModelMetadata, parsed: ParsedRequest, settings: Settings) -> Request:
    """Return the validated request. With images, call this in a thread, since it reads their headers.

    Raises:
        ApiError: an upload is not an image, or a value is invalid.
    """
    with blamed_on_caller():
        return _resolve(metadata, parsed, settings)


def _resolve(metadata: ModelMetadata, parsed: ParsedRequest, settings: Settings) -> Request:
    source_image = metadata.source_image
    moving = parsed.format in medium_of(metadata).animations and not parsed.grid
    sources: dict[str, list[ImageInput]] = {name: [] for name in parsed.uploads}
    pixels_left = settings.max_pixels
    for tensor in metadata.image_inputs:
        files = parsed.uploads.get(tensor.name, [])
        animated = moving and tensor == source_image and len(files) == 1
        for file in files:
            images = read_head(tensor, *file, pixels_left, animated=animated)
            sources[tensor.name] += images
            pixels_left -= sum(math.prod(image.size) for image in images)
    mixing = make_mixing(mix=parsed.mix, **_given(parsed, *_SECOND))
    values = {**parsed.values, **sources}
    integers = _given(parsed, "count", "seed", "index")
    return make_request(metadata, values, mixing=mixing, max_images=settings.max_count, **integers)


def _given(parsed: ParsedRequest, *names: str) -> dict[str, int]:
    return {name: parsed.integers[name] for name in names if name in parsed.integers}


def _with_whole_body(metadata: ModelMetadata, fields: Fields) -> Fields:
    """Return the fields with an image that is the whole body assigned to the model's first image input."""
    if not isinstance(fields.get(_WHOLE), tuple):  # a field that neither a query nor JSON can produce
        return fields
    if not metadata.image_inputs:
        raise bad_request(f"{metadata.name} takes no image; send its inputs in the query or as application/json")
    name = metadata.image_inputs[0].name
    if name in fields:
        raise bad_request(f"{name} is in the query and is the body; send it once")
    return {name: fields[_WHOLE], **{other: value for other, value in fields.items() if other != _WHOLE}}


def _group_by_name(items: Iterable[tuple[str, Any]]) -> Fields:
    fields: dict[str, list[Any]] = {}
    for name, value in items:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


async def _read_parts(value: Any) -> Any:
    """Read the parts of one field: files as their names and bytes, text unchanged."""
    if isinstance(value, list):
        return [await _read_parts(each) for each in value]
    return (safe_name(value.filename), await value.read()) if isinstance(value, UploadFile) else value


def _images(tensor: Image | Mask, value: Any, most: int) -> list[UploadedFile]:
    parts = value if isinstance(value, list) else [value]
    if len(parts) > most:
        raise bad_request(f"{len(parts)} images are too many for one request; send up to {most}")
    return [part if isinstance(part, tuple) else (None, decode_base64(tensor, part)) for part in parts]


def _checked(name: str, value: Any, most: int) -> object:
    """Check that a value is text, a number, or a list of them."""
    if isinstance(value, list):
        if len(value) > most:
            raise bad_request(f"{name} has {len(value)} values; send up to {most}")
        return [_checked_one(name, each, _LONGEST_NAME) for each in value]
    return _checked_one(name, value, _LONGEST_TEXT)


def _checked_one(name: str, value: Any, longest: int) -> str | int | float:
    if isinstance(value, tuple):
        raise bad_request(f"{name} is a file; send a number or text")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad_request(f"{name} must be a number, text, or a list of them")
    if isinstance(value, str) and len(value) > longest:
        raise bad_request(f"{name} has a value of {len(value)} characters; send up to {longest}")
    return value


def _integer(name: str, value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, list | tuple):
        kind = "a list" if isinstance(value, list) else "a file"
        raise bad_request(f"{name} is not an integer but {kind}; send one number")
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"{name} is not an integer")
    return value


def _boolean(name: str, value: Any) -> bool:
    known: Mapping[object, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
    if not isinstance(value, bool | str) or value not in known:
        raise bad_request(f"{name} is not true or false")
    return known[value]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
