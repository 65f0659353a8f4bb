"""What the address bar says of a page: the fields of the plain API, so that who opens it sees the same images."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gan_serve.errors import UsageError
from gan_serve.image_inputs import ImageRef
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Inputs
from gan_serve.seeds import checked_integer, random_seed
from gan_serve.server.errors import bad_request

SEEDS = 2**53  # a browser's numbers are exact below
COUNT = 16  # images, where nobody says how many


@dataclass(frozen=True)
class Address:
    """What is to be shown of which models, with which inputs as text."""

    models: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    other: int = 0  # the second seed of a view that has two
    count: int = COUNT
    view: str = ""
    locked: bool = False


def parse_address(query: str, most: int) -> Address:
    """The part behind the question mark; seeds that it does not name are drawn. `most` is how many images there may be.

    Raises:
        ApiError: a seed or a count that is none.
    """
    fields = dict(parse_qsl(query))
    models = [name for name in fields.pop("model", "").split(",") if name]
    seeds = [_integer("seed", text, 0, SEEDS - 1) for text in fields.pop("seed", "").split(",") if text]
    seed, other = [*seeds, random_seed(), random_seed()][:2]
    count = _integer("count", fields.pop("count", str(min(COUNT, most))), 1, most)
    view, locked = fields.pop("show", ""), fields.pop("lock", "") == "1"
    return Address(models, fields, seed, other, count, view, locked)


def checked_seed(given: object, name: str = "seed") -> int:
    """The seed that a field of the page holds.

    Raises:
        UsageError: it holds none.
    """
    if given is None:
        raise UsageError(f"the {name} is empty; give an integer from 0 to {SEEDS - 1}, or roll the dice")
    return checked_integer(name, given, 0, SEEDS - 1)


def make_query(names: list[str], inputs: dict[str, str], seeds: list[int], **others: int | str) -> str:
    """The part behind the question mark."""
    seed = {"seed": ",".join(map(str, seeds))} if seeds else {}
    return urlencode({"model": ",".join(names), **inputs, **seed, **others}, safe=",")


def texts_of(metadata: ModelMetadata, inputs: Inputs) -> dict[str, str]:
    """What can stand in an address: everything but images."""
    given = {name: value for name, value in inputs.items() if not isinstance(value, ImageRef)}
    return {name: as_text(metadata, name, value) for name, value in given.items()}


def as_text(metadata: ModelMetadata, name: str, value: Any) -> str:
    """A value as people write it, exactly: a class by its name, an image by its file's."""
    if isinstance(value, ImageRef):
        return value.file or f"{name}.png"
    label = metadata.label
    if label and label.name == name:
        return label.name_of(value)
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _integer(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
        raise bad_request(f"{name} {text[:20]!r} in the address is not an integer from {low} to {high}")
    return int(text)
