"""Convert JSON documents to frozen dataclasses and back, validated by type hints.

Files come from anywhere, so every field is checked. Pydantic could do this, but importing it takes half as long as
generating an image: see docs/decisions/0002-serving-core.md.
"""

import dataclasses
import functools
import json
import math
import re
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from gan_serve.errors import short_repr

Document = TypeVar("Document")

# Control characters, which could drive a terminal, and lone surrogates, which no encoding can represent.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class ValidationError(ValueError):
    """A document does not match its schema; the message says where and why."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"wrong at {where or 'document'}: {what}")


def encode(document: object, *, indent: int | None = None) -> str:
    """Return a dataclass as JSON. Values must be dataclasses or JSON types."""
    separators = (",", ":") if indent is None else None
    fields = dataclasses.asdict(document)  # type: ignore[call-overload]  # any dataclass
    return json.dumps(fields, indent=indent, separators=separators, ensure_ascii=False)


def check_printable(value: object, where: str = "") -> None:
    """Reject a value from `json.loads` that a page, a terminal or JSON cannot show.

    Raises:
        ValidationError: A text has control characters or lone surrogates, or a number is not finite.
    """
    match value:
        case dict():
            for name, item in value.items():
                check_printable(name, where)
                check_printable(item, _inside(where, name))
        case list():
            for place, item in enumerate(value):
                check_printable(item, _inside(where, place))
        case str():
            _expect(not _UNPRINTABLE.search(value), value, where, f"{short_repr(value)} has unprintable characters")
        case float():
            _expect(math.isfinite(value), value, where, f"{value} is not finite")


def decode(kind: type[Document], value: object) -> Document:
    """Convert a value from `json.loads` to a dataclass. Only lists become tuples, and integers floats.

    Hints may be dataclasses, `str`, `int`, `float`, `bool`, `None`, literals, tuples, lists, `dict[str, ...]`, and
    unions of these. The field `kind` selects a dataclass out of a union of several.

    Raises:
        ValidationError: A field is missing, unknown, of the wrong type, or rejected by the dataclass.
    """
    decoded: Document = _decode(kind, value, "")
    return decoded


def _decode(hint: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _decode_object(hint, value, where)
    if get_origin(hint) is not None:
        return _decode_composed(get_origin(hint), get_args(hint), value, where)
    if hint is float and type(value) is int:
        return _decode_float(value, where)
    return _expect(type(value) is hint, value, where, f"{short_repr(value)} is not of type {hint.__name__}")


def _decode_float(value: int, where: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValidationError(where, f"{short_repr(value)} is too large") from None


def _decode_composed(origin: Any, arguments: tuple[Any, ...], value: object, where: str) -> Any:
    if origin in (Union, UnionType):
        return _decode_one_of(arguments, value, where)
    if origin is Literal:
        known = any(type(value) is type(each) and value == each for each in arguments)
        return _expect(known, value, where, f"{short_repr(value)} is not one of {', '.join(map(repr, arguments))}")
    if origin is dict:
        items = _expect(isinstance(value, dict), value, where, "it is not an object").items()
        return {key: _decode(arguments[1], item, _inside(where, key)) for key, item in items}
    return _decode_sequence(origin, arguments, value, where)


def _decode_object(kind: Any, value: object, where: str) -> Any:
    members = _expect(isinstance(value, dict), value, where, "it is not an object")
    hints, fields = _hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    for name in members:
        _expect(name in fields, value, _inside(where, name), "there is no such field")
    for name, field in fields.items():
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        _expect(optional or name in members, value, _inside(where, name), "it is missing")
    decoded = {name: _decode(hints[name], item, _inside(where, name)) for name, item in members.items()}
    try:
        return kind(**decoded)
    except ValueError as error:  # from its `__post_init__`
        raise ValidationError(where, str(error)) from None


def _decode_one_of(hints: tuple[Any, ...], value: object, where: str) -> Any:
    objects = [hint for hint in hints if dataclasses.is_dataclass(hint)]
    if len(objects) > 1:
        return _decode_object(_select_kind(objects, value, where), value, where)
    for hint in hints:
        try:
            return _decode(hint, value, where)
        except ValidationError:
            if hint in objects and isinstance(value, dict):
                raise  # its message is more precise than "is not A or B"
    names = " or ".join("null" if hint is NoneType else getattr(hint, "__name__", str(hint)) for hint in hints)
    raise ValidationError(where, f"{short_repr(value)} is not of type {names}")


def _select_kind(kinds: list[Any], value: object, where: str) -> Any:
    known = {get_args(_hints(kind)["kind"])[0]: kind for kind in kinds}
    named = _expect(isinstance(value, dict), value, where, "it is not an object").get("kind")
    problem = f"kind {short_repr(named)} is not one of {', '.join(known)}"
    _expect(isinstance(named, str) and named in known, value, where, problem)
    return known[named]


def _decode_sequence(origin: Any, arguments: tuple[Any, ...], value: object, where: str) -> Any:
    items = _expect(isinstance(value, list | tuple), value, where, "it is not a list")
    hints = [arguments[0]] * len(items) if origin is list or arguments[-1] is Ellipsis else arguments
    _expect(len(hints) == len(items), value, where, f"it has {len(items)} items, not {len(hints)}")
    decoded = (
        _decode(hint, item, _inside(where, place)) for place, (hint, item) in enumerate(zip(hints, items, strict=True))
    )
    return origin(decoded)


def _expect(holds: bool, value: Any, where: str, problem: str) -> Any:
    if not holds:
        raise ValidationError(where, problem)
    return value


def _inside(where: str, part: object) -> str:
    name = str(part) if str(part).isprintable() else short_repr(part)
    return f"{where}.{name}" if where else name


_hints = functools.cache(get_type_hints)
