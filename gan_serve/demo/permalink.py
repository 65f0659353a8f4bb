"""Permalinks: the page's address holds the fields of the plain API, so that it always shows the same images."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gan_serve.errors import UsageError
from gan_serve.image_inputs import ImageRef
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Inputs
from gan_serve.seeds import checked_integer, random_seed
from gan_serve.server.errors import bad_request

SEEDS = 2**53  # JavaScript's numbers are exact below
COUNT = 16  # images, by default


@dataclass(frozen=True)
class Address:
    """The models to show, with their inputs as text."""

    models: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    other: int = 0  # the second seed, in modes that have two
    count: int = COUNT
    mode: str = ""
    locked: bool = False


def parse_address(query: str, most: int) -> Address:
    """Parse the query of an address. Missing seeds are random; `most` is the maximum number of images.

    Raises:
        ApiError: a seed or a count is invalid.
    """
    fields = dict(parse_qsl(query))
    models = [name for name in fields.pop("model", "").split(",") if name]
    seeds = [_integer("seed", text, 0, SEEDS - 1) for text in fields.pop("seed", "").split(",") if text]
    seed, other = [*seeds, random_seed(), random_seed()][:2]
    count = _integer("count", fields.pop("count", str(min(COUNT, most))), 1, most)
    mode, locked = fields.pop("show", ""), fields.pop("lock", "") == "1"
    return Address(models, fields, seed, other, count, mode, locked)


def checked_seed(value: object, name: str = "seed") -> int:
    """Return the seed in a field of the page.

    Raises:
        UsageError: the field is empty or holds no valid seed.
    """
    if value is None:
        raise UsageError(f"the {name} is empty; give an integer from 0 to {SEEDS - 1}, or roll the dice")
    return checked_integer(name, value, 0, SEEDS - 1)


def make_query(names: list[str], inputs: dict[str, str], seeds: list[int], **others: int | str) -> str:
    """Return the query of an address."""
    seed = {"seed": ",".join(map(str, seeds))} if seeds else {}
    return urlencode({"model": ",".join(names), **inputs, **seed, **others}, safe=",")


def texts_of(metadata: ModelMetadata, inputs: Inputs) -> dict[str, str]:
    """Return the inputs that an address can hold, as text: all except images."""
    without_images = {name: value for name, value in inputs.items() if not isinstance(value, ImageRef)}
    return {name: as_text(metadata, name, value) for name, value in without_images.items()}


def as_text(metadata: ModelMetadata, name: str, value: Any) -> str:
    """Return an input's exact value as text: a class or an image's file by its name."""
    return metadata.choices[name].text_of(value)


def _integer(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
        raise bad_request(f"{name} {text[:20]!r} in the address is not an integer from {low} to {high}")
    return int(text)
