import json

import pytest
from small_models import DIGIT, TURNED

from gan_serve import Failure
from gan_serve.metadata import parse_metadata


@pytest.mark.parametrize("metadata", [DIGIT, TURNED])
def test_document_survives_the_file(metadata) -> None:
    assert parse_metadata(metadata.to_json(), "model.onnx") == metadata


def test_newer_schema_says_how_to_upgrade() -> None:
    newer = json.loads(DIGIT.to_json()) | {"schema_version": 2, "an_unknown_field": 1}
    with pytest.raises(Failure, match=r"schema 2.*pip install --upgrade gan-serve"):
        parse_metadata(json.dumps(newer), "model.onnx")


def changed(path: str, value: object) -> str:
    """A valid document but for one value."""
    document = json.loads(TURNED.to_json())
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    part = document
    for parent in parents:
        part = part[parent]
    part[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("name", "../x", r"at document: '\.\./x' is no name of a model"),
        ("version", 0, "at document: version 0"),
        ("version", True, "at version: True is no int"),
        ("task", "telling-fortunes", "at task: 'telling-fortunes' is not one of 'unconditional'"),
        ("inputs", [], "a model needs inputs and outputs"),
        ("inputs", {}, "at inputs: it is no list"),
        ("inputs.0", None, r"at inputs\.0: it is no object"),
        ("inputs.0.kind", "wish", r"at inputs\.0: kind 'wish' is not one of latent, label, scalar, image"),
        ("inputs.0.size", 0, r"at inputs\.0: latent has the size 0"),
        ("inputs.0.size", 8.0, r"at inputs\.0\.size: 8\.0 is no int"),
        ("inputs.0.name", "count", "an input cannot have the name of an option: count"),
        ("inputs.1.low", "-1", r"at inputs\.1\.low: '-1' is no float"),
        ("inputs.1.default", [0, 1, 2], r"at inputs\.1\.default: \[0, 1, 2\] is no float or tuple"),
        ("outputs.0.channels", 2, r"at outputs\.0\.channels: 2 is not one of 1, 3"),
        ("outputs.0.low", float("nan"), r"at outputs\.0: image has the range nan\.\.1"),
        ("outputs.0.colour", "red", r"at outputs\.0\.colour: there is no such field"),
        ("paper", {"title": "A Test"}, r"at paper\.authors: it is missing"),
        ("training.recipe.betas", [0, "one"], r"at training\.recipe\.betas"),
        ("training.observed", [], r"at training\.observed: it is no object"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_place(path: str, value: object, complaint: str) -> None:
    with pytest.raises(Failure, match=rf"^model\.onnx: its metadata is wrong .*{complaint}") as error:
        parse_metadata(changed(path, value), "model.onnx")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "{}", "[" * 100_000])
def test_what_is_no_document_is_one_line_that_names_the_file(document: str) -> None:
    with pytest.raises(Failure, match=r"^model\.onnx: its metadata") as error:
        parse_metadata(document, "model.onnx")
    assert "\n" not in str(error.value)
