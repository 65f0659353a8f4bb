"""What a caller of the plain API wants: from a query, from JSON, or from a form with images."""

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
from gan_serve.formats import ANIMATIONS
from gan_serve.image_inputs import ImageInput
from gan_serve.latent_mixing import make_mixing
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request, check_names, make_request
from gan_serve.server.api.uploads import decode_base64, own_name, read_head
from gan_serve.server.errors import ApiError, bad_request, blamed_on_caller
from gan_serve.server.settings import Settings
from gan_serve.tensors import Image, Mask

_SECOND = ("walk_to", "steps", "step", "mix_with", "mix_index")  # the integers of a second seed
_INTEGERS = ("count", "seed", "index", "scale", *_SECOND)
_OPTIONS = (*_INTEGERS, "mix", "grid", "format", "version")
_WHOLE = ""  # in place of a field's name: the image that is a body, until the model is known that takes it
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_LONGEST_TEXT = 1000  # of a lone value, such as "0-9,3,three"
_LONGEST_NAME = 100  # of a value in a list
_TAIL = 64  # bytes at a form's end among which its last boundary is looked for
LARGE = 2**16  # bytes of JSON; more are parsed off the event loop

Fields = dict[str, Any]  # as sent: text, JSON values, parts of a form; lists where a name came more than once
UploadedFile = tuple[str | None, bytes]  # its file's name, and the file


@dataclass(frozen=True)
class ParsedRequest:
    """Checked as far as it can be without the model's runtime; images are not looked at yet."""

    values: dict[str, object]
    uploads: dict[str, list[UploadedFile]]
    integers: dict[str, int]
    mix: object = None
    format: str | None = None
    grid: bool = False

    @property
    def scale(self) -> int:
        """Pixels a side for each one that the model makes."""
        return self.integers.get("scale", 1)


async def read_fields(request: HttpRequest) -> Fields:
    """The fields of a request: those of its query and those of its body.

    Raises:
        ApiError: they cannot be read, or one stands in both.
    """
    query = _collected(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    if request.method in ("GET", "HEAD"):
        return query
    body = await _read_body(request)
    for name in query.keys() & body.keys():
        raise bad_request(f"{short_repr(name)} stands in the query and in the body; leave one of them out")
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
        f"the body is of the type {short_repr(kind)}; send application/json, multipart/form-data, "
        "or an image alone as image/png, for example"
    )
    raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


async def _read_form(request: HttpRequest) -> Fields:
    """The parts of a form, of which nothing else is kept: the request itself would keep its body, too."""
    tail = b""

    async def receive() -> Message:
        nonlocal tail
        message = await request.receive()
        tail = (tail + message.get("body", b""))[-_TAIL:]
        return message

    async with HttpRequest(request.scope, receive).form(max_files=1000, max_fields=100) as form:
        if not tail.rstrip().endswith(b"--"):  # the parser takes what there is
            raise bad_request("the form is cut off; it must end with its boundary and --")
        return {name: await _read_parts(value) for name, value in _collected(form.multi_items()).items()}


async def read_body(request: HttpRequest) -> bytes:
    """The whole body, which the request itself does not keep."""
    return b"".join([chunk async for chunk in request.stream()])


def parse_object(body: bytes | memoryview) -> dict[str, Any]:
    """A JSON object; no body is one without fields.

    Raises:
        ApiError: it is none.
    """
    try:
        document = json.loads(bytes(body) or b"{}", parse_constant=_refuse_constant, **_yielding(len(body)))
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is not JSON ({str(error)[:100]})") from None
    if not isinstance(document, dict):
        raise bad_request('the body is no JSON object; send {"name": value, ...}')
    return document


def _yielding(size: int) -> dict[str, Any]:
    """How numbers of a large text are read: other threads run only where its parser calls functions of Python's own."""
    return {"parse_float": _read_float, "parse_int": _read_int} if size > LARGE else {}


def _read_float(text: str) -> float:
    return float(text)


def _read_int(text: str) -> int:
    return int(text)


def parse_request(metadata: ModelMetadata, fields: Fields, most: int) -> ParsedRequest:
    """The fields told apart: the model's inputs, and how to answer. `most` is how many images there may be.

    Raises:
        ApiError: a field has another type than it must.
        UsageError: the model has no such input.
    """
    named = _with_whole_body(metadata, fields)
    check_names(metadata, (name for name in named if name not in _OPTIONS), _OPTIONS)
    if nothing := [name for name, value in named.items() if value is None]:
        raise bad_request(f"{nothing[0]} is null; leave it out where it is not set")
    rest = dict(named)
    integers = {name: _integer(name, rest.pop(name)) for name in _INTEGERS if name in rest}
    format, grid = rest.pop("format", None), _boolean("grid", rest.pop("grid", False))
    if format is not None and not isinstance(format, str):
        raise bad_request("format is no text; use png, for example")
    mix = _checked("mix", rest.pop("mix"), most) if "mix" in rest else None
    images = {tensor.name: tensor for tensor in metadata.image_inputs}
    uploads = {name: _images(images[name], rest.pop(name), most) for name in [*rest] if name in images}
    values = {name: _checked(name, value, most) for name, value in rest.items()}
    return ParsedRequest(values, uploads, integers, mix, format, grid)


def resolve(metadata: ModelMetadata, wish: ParsedRequest, settings: Settings) -> Request:
    """The request, the heads of its images read: where there are some, this belongs into a thread.

    Raises:
        ApiError: something that is no image, or a value that the model does not take.
    """
    with blamed_on_caller():
        return _resolve(metadata, wish, settings)


def _resolve(metadata: ModelMetadata, wish: ParsedRequest, settings: Settings) -> Request:
    translated, moving = metadata.source_image, wish.format in ANIMATIONS and not wish.grid
    sources: dict[str, list[ImageInput]] = {name: [] for name in wish.uploads}
    left = settings.max_pixels
    for tensor in metadata.image_inputs:
        files = wish.uploads.get(tensor.name, [])
        animated = moving and tensor == translated and len(files) == 1
        for file in files:
            read = read_head(tensor, *file, left, animated=animated)
            sources[tensor.name] += read
            left -= sum(math.prod(source.size) for source in read)
    blend = make_mixing(mix=wish.mix, **_those(wish, *_SECOND))
    values = {**wish.values, **sources}
    integers = _those(wish, "count", "seed", "index")
    return make_request(metadata, values, mixing=blend, max_images=settings.max_count, **integers)


def _those(wish: ParsedRequest, *names: str) -> dict[str, int]:
    return {name: wish.integers[name] for name in names if name in wish.integers}


def _with_whole_body(metadata: ModelMetadata, fields: Fields) -> Fields:
    """The fields by name, where an image that is the whole body belongs to the model's first one."""
    if not isinstance(fields.get(_WHOLE), tuple):  # which neither a query nor JSON makes
        return fields
    if not metadata.image_inputs:
        raise bad_request(f"{metadata.name} takes no image; send its inputs in the query, or as application/json")
    name = metadata.image_inputs[0].name
    if name in fields:
        raise bad_request(f"{name} stands in the query and is the body; leave one of them out")
    return {name: fields[_WHOLE], **{other: value for other, value in fields.items() if other != _WHOLE}}


def _collected(items: Iterable[tuple[str, Any]]) -> Fields:
    fields: dict[str, list[Any]] = {}
    for name, value in items:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


async def _read_parts(value: Any) -> Any:
    """Uploaded files as their names and bytes; text as it is."""
    if isinstance(value, list):
        return [await _read_parts(each) for each in value]
    return (own_name(value.filename), await value.read()) if isinstance(value, UploadFile) else value


def _images(tensor: Image | Mask, value: Any, most: int) -> list[UploadedFile]:
    each = value if isinstance(value, list) else [value]
    if len(each) > most:
        raise bad_request(f"{len(each)} images are too many for one request; send up to {most}")
    return [part if isinstance(part, tuple) else (None, decode_base64(tensor, part)) for part in each]


def _checked(name: str, value: Any, most: int) -> object:
    """A value that an input may be given: text, a number, or a list of them."""
    if isinstance(value, list):
        if len(value) > most:
            raise bad_request(f"{name} has {len(value)} values; send up to {most}")
        return [_checked_one(name, each, _LONGEST_NAME) for each in value]
    return _checked_one(name, value, _LONGEST_TEXT)


def _checked_one(name: str, value: Any, longest: int) -> str | int | float:
    if isinstance(value, tuple):
        raise bad_request(f"{name} is a file; send a number or a text")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad_request(f"{name} must be a number, a text, or a list of them")
    if isinstance(value, str) and len(value) > longest:
        raise bad_request(f"{name} has a text of {len(value)} characters; send up to {longest}")
    return value


def _integer(name: str, value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, list | tuple):
        kind = "a list" if isinstance(value, list) else "a file"
        raise bad_request(f"{name} is not an integer but {kind}; give one number")
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"{name} is not an integer")
    return value


def _boolean(name: str, value: Any) -> bool:
    known: Mapping[object, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
    if not isinstance(value, bool | str) or value not in known:
        raise bad_request(f"{name} is neither true nor false")
    return known[value]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
