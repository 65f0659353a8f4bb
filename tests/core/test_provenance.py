"""Provenance: complete enough to reproduce a file, and validated when read."""

import json

import pytest
from small_models import CLASSIFIER, DIGIT

import gan_serve
from gan_serve.errors import Failure
from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, StyleMix
from gan_serve.provenance import (
    Provenance,
    item_request,
    make_provenance,
    parse_provenance,
    same_pixels,
    write_provenance,
)
from gan_serve.request import Item, Request

SHA = "0" * 64
REQUESTS = (
    Request(7, 3, 2, ({"label": 1}, {"label": 2})),
    Request(2**64 - 1, 0, 1, ({"label": 1},), Interpolation(seed=8, steps=5, step=2)),
    Request(7, 0, 2, ({"label": 1},), StyleMix(seed=8, latents=("latent",), index=4)),
    Request(0, 0, 1, ({"image": ImageRef("a.png", SHA)}, {"image": ImageRef(None, SHA)})),
)


def test_a_document_contains_the_whole_request() -> None:
    document = json.loads(write_provenance(DIGIT, SHA, REQUESTS[0], scale=3, columns=2))
    assert document == {
        "gan_serve": gan_serve.__version__,
        "model": "digits",
        "version": 1,
        "sha256": SHA,
        "seed": 7,
        "index": 3,
        "count": 2,
        "inputs": [{"label": 1}, {"label": 2}],
        "scale": 3,
        "columns": 2,
    }


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_document_is_read_back(request_: Request) -> None:
    document = write_provenance(CLASSIFIER, SHA, request_)
    provenance = parse_provenance(document, "a.png")
    assert provenance == make_provenance(CLASSIFIER, SHA, request_)
    assert provenance.request == request_
    assert (provenance.scale, provenance.columns) == (1, None)
    assert provenance.to_json() == document
    assert ("blend" in json.loads(document)) == (request_.mixing is not None)


def test_the_request_for_one_image_is_for_that_alone() -> None:
    walk = Interpolation(seed=8, steps=5, step=2)
    assert item_request(7, Item(3, {"label": 1}, walk)) == Request(7, 3, 1, ({"label": 1},), walk)


def test_the_same_image_is_recognized_in_any_version() -> None:
    provenance = make_provenance(DIGIT, SHA, REQUESTS[0])
    fields = json.loads(provenance.to_json())
    assert same_pixels(json.dumps(fields | {"gan_serve": "0.0.1"}), provenance)
    for change in ({"seed": 8}, {"sha256": "1" * 64}, {"scale": 2}, {"blend": None}, {"inputs": [{"label": 1}]}):
        assert not same_pixels(json.dumps(fields | change), provenance)
    for document in ("", "{", "1", "null", "[1]"):
        assert not same_pixels(document, provenance)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": []}, "an image has at least one row, column and pixel"),
        ({"scale": 0}, "an image has at least one row, column and pixel"),
        ({"columns": 0}, "an image has at least one row, column and pixel"),
        ({"seed": "7"}, "wrong at seed: '7' is not of type int"),
        ({"else": 1}, "wrong at else: there is no such field"),
    ],
)
def test_a_foreign_document_is_rejected(change: dict[str, object], message: str) -> None:
    fields = json.loads(write_provenance(DIGIT, SHA, REQUESTS[0]))
    with pytest.raises(Failure, match=f"^a.png: its provenance is .*{message}$"):
        parse_provenance(json.dumps(fields | change), "a.png")


def test_the_smallest_valid_document_is_accepted() -> None:
    fields = json.loads(write_provenance(DIGIT, SHA, REQUESTS[0], scale=1, columns=1))
    assert isinstance(parse_provenance(json.dumps(fields), "a.png"), Provenance)


def test_invalid_and_endless_json_is_rejected() -> None:
    for document in ("{", "[" * 100_000):
        with pytest.raises(Failure, match=r"^a\.png: its provenance is not JSON"):
            parse_provenance(document, "a.png")
    with pytest.raises(Failure, match=r"^a\.png: its provenance is too long; gan-serve did not"):
        parse_provenance(" " * (2**26 + 1), "a.png")
