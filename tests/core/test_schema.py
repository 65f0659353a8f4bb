"""JSON documents and dataclasses."""

import json
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_serve.schema import ValidationError, check_printable, decode, encode

JSON = st.recursive(  # never a list of pets: neither empty lists nor the key `kind`
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@dataclass(frozen=True)
class Cat:
    name: str
    kind: Literal["cat"] = "cat"


@dataclass(frozen=True)
class Dog:
    weight: float
    kind: Literal["dog"] = "dog"


@dataclass(frozen=True)
class Home:
    pets: tuple[Cat | Dog, ...]
    rooms: int = 1
    owner: str | None = None
    notes: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rooms < 1:
            raise ValueError("a home needs a room")


PETS = st.lists(st.builds(Cat, st.text()) | st.builds(Dog, st.floats(allow_nan=False)))
HOMES = st.builds(
    Home,
    PETS.map(tuple),
    st.integers(min_value=1),
    st.none() | st.text(),
    st.dictionaries(st.text(), st.floats(allow_nan=False)),
)


@settings(max_examples=50)
@given(HOMES)
def test_a_document_is_read_back(home: Home) -> None:
    assert decode(Home, json.loads(encode(home))) == home
    assert decode(Home, json.loads(encode(home, indent=2))) == home


@settings(max_examples=50)
@given(JSON)
def test_a_document_of_another_kind_is_rejected_in_one_line(document: object) -> None:
    with pytest.raises(ValidationError, match=r"^wrong at [^\n]+\Z"):
        decode(Home, {"pets": document})
    with pytest.raises(ValidationError, match=r"^wrong at [^\n]+\Z"):
        decode(Home, document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "wrong at pets: it is missing"),
        ({"pets": [], "room": 1}, "wrong at room: there is no such field"),
        ({"pets": [{"kind": "cow"}]}, "wrong at pets.0: kind 'cow' is not one of cat, dog"),
        ({"pets": [{"kind": "dog", "weight": "1"}]}, "wrong at pets.0.weight: '1' is not of type float"),
        ({"pets": [], "rooms": True}, "wrong at rooms: True is not of type int"),
        ({"pets": [], "rooms": 0}, "wrong at document: a home needs a room"),
        ({"pets": [{"kind": "dog", "weight": 10**400}]}, "is too large"),
    ],
)
def test_an_error_names_the_place(document: object, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        decode(Home, document)
    assert message in str(error.value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_text_without_control_characters_is_printable(text: str) -> None:
    check_printable({text: [text, 1.5, None]})


@pytest.mark.parametrize("value", ["\x1b[31m", "\ud800", "\x7f", float("inf"), float("nan")])
def test_what_cannot_be_shown_everywhere_is_rejected(value: object) -> None:
    for document in (value, [value], {"a": {"b": value}}):
        with pytest.raises(ValidationError):
            check_printable(document)
