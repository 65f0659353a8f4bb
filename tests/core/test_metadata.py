import json
import re
from dataclasses import replace
from typing import Any

import pytest
from small_models import DIGIT, TURNED, metadata_of

from gan_serve import Failure
from gan_serve.metadata import Data, ModelMetadata, parse_metadata
from gan_serve.schema import encode
from gan_serve.tensors import Image, Mask, ScoreOutput

PHOTO = Image(name="photo", channels=3, height=None, width=None, multiple=4, tile=256, overlap=32)
ICON = Image(name="icon", channels=3, height=8, width=8, fit="pad")
HOLE = Mask(name="hole", height=None, width=None)
LARGER = Image(name="larger", channels=3, height=None, width=None, like="photo", scale=4)
FILLED = Image(name="filled", channels=3, height=8, width=8, like="icon")


def translating(*inputs: Any, to: Image) -> ModelMetadata:
    return metadata_of("translator", inputs, to, task="image-to-image")


@pytest.mark.parametrize(
    "metadata",
    [
        DIGIT,
        TURNED,
        translating(PHOTO, HOLE, to=LARGER),
        translating(ICON, Mask(name="hole", height=8, width=8), to=FILLED),
    ],
)
def test_document_survives_the_file(metadata) -> None:
    assert parse_metadata(metadata.to_json(), "model.onnx") == metadata


def test_outputs_have_names_of_their_own_and_scores_a_range() -> None:
    with pytest.raises(ValueError, match="two outputs have the same name"):
        metadata_of("twice", DIGIT.inputs, *DIGIT.outputs, ScoreOutput(name="image", low=0, high=1))
    with pytest.raises(ValueError, match=r"score has the range 1\.\.1"):
        ScoreOutput(name="score", low=1, high=1)


def test_newer_schema_says_how_to_upgrade() -> None:
    newer = json.loads(DIGIT.to_json()) | {"schema_version": 2, "an_unknown_field": 1}
    with pytest.raises(Failure, match=r"schema 2.*pip install --upgrade gan-serve"):
        parse_metadata(json.dumps(newer), "model.onnx")


def changed(path: str, value: object) -> str:
    """A valid document, except for one value."""
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
        ("name", "../x", r"at document: '\.\./x' is not a model name"),
        ("version", 0, "at document: version is 0; versions count from 1"),
        ("version", True, "at version: True is not of type int"),
        ("task", "telling-fortunes", "at task: 'telling-fortunes' is not one of 'unconditional'"),
        ("inputs", [], "a model needs inputs and outputs"),
        ("inputs", {}, "at inputs: it is not a list"),
        ("inputs.0", None, r"at inputs\.0: it is not an object"),
        ("inputs.0.kind", "wish", r"at inputs\.0: kind 'wish' is not one of latent, label, scalar, image, mask"),
        ("inputs.0.size", 0, r"at inputs\.0: latent has the size 0"),
        ("inputs.0.size", 8.0, r"at inputs\.0\.size: 8\.0 is not of type int"),
        ("inputs.0.selected_by", "lean", "latent is selected by 'lean', which is not a scalar input"),
        ("inputs.0.name", "count", "an input cannot have the name of an option: count"),
        ("inputs.1.low", "-1", r"at inputs\.1\.low: '-1' is not of type float"),
        ("inputs.1.default", [0, 1, 2], r"at inputs\.1\.default: \[0, 1, 2\] is not of type float or tuple"),
        ("outputs.0.channels", 2, r"at outputs\.0\.channels: 2 is not one of 1, 3"),
        ("outputs.0.low", float("nan"), r"at outputs\.0: image has the range nan\.\.1"),
        ("outputs.0.colour", "red", r"at outputs\.0\.colour: there is no such field"),
        ("paper", {"title": "A Test"}, r"at paper\.authors: it is missing"),
        ("training.recipe.betas", [0, "one"], r"at training\.recipe\.betas"),
        ("training.observed", [], r"at training\.observed: it is not an object"),
        ("training.observed", {"\x1b[31m": 1}, r"at training\.observed: '\\x1b\[31m' has unprintable characters"),
        ("training.steps\x1b", 1, r"at training\.'steps\\x1b': there is no such field"),
        ("training.duration_seconds", 10**400, r"at training\.duration_seconds: 1000\d+\.\.\. is too large"),
        ("training.duration_seconds", float("nan"), r"at training\.duration_seconds: nan is not finite"),
        ("training.recipe.betas", [0, float("inf")], r"at training\.recipe\.betas\.1: inf is not finite"),
        ("description", "half a \ud800", r"at description: 'half a \\ud800' has unprintable characters"),
    ],
)
def test_an_invalid_value_is_rejected_with_its_place(path: str, value: object, complaint: str) -> None:
    with pytest.raises(Failure, match=rf"^model\.onnx: its metadata is wrong .*{complaint}") as error:
        parse_metadata(changed(path, value), "model.onnx")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "{}", "[" * 100_000])
def test_an_invalid_document_is_rejected_with_its_file(document: str) -> None:
    with pytest.raises(Failure, match=r"^model\.onnx: its metadata") as error:
        parse_metadata(document, "model.onnx")
    assert "\n" not in str(error.value)


def test_images_and_masks_are_required() -> None:
    assert translating(PHOTO, HOLE, to=LARGER).image_inputs == (PHOTO, HOLE)


@pytest.mark.parametrize(
    ("inputs", "output", "complaint"),
    [
        ((PHOTO,), replace(LARGER, like="phot"), "larger is like 'phot', which is not an image input"),
        ((PHOTO, HOLE), replace(LARGER, like="hole"), "larger is like 'hole', which is not an image input"),
        (
            (PHOTO,),
            replace(PHOTO, name="made", tile=None, overlap=0),
            "made must be like an input of any size, since the model has one",
        ),
        ((PHOTO, ICON), LARGER, "one image input has any size and another a fixed one"),
        ((PHOTO,), replace(FILLED, like="photo"), "filled and its input must both have any size"),
        ((ICON,), replace(LARGER, like="icon"), "larger and its input must both have any size, or both a fixed one"),
        ((ICON, HOLE), FILLED, "hole differs in size from the first image input"),
        ((HOLE,), ICON, "hole differs in size from the first image input"),
        ((replace(ICON, name="photo", like="icon"), ICON), FILLED, "photo is an input, and cannot be like 'icon'"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(inputs: tuple[Any, ...], output: Image, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        translating(*inputs, to=output)


def test_a_document_is_as_short_as_can_be_unless_people_shall_read_it() -> None:
    data = Data(name="Emoji «ä»", images=1, license="CC0", attribution="")
    assert encode(data) == '{"name":"Emoji «ä»","images":1,"license":"CC0","attribution":""}'
    assert encode(data, indent=2).splitlines()[:2] == ["{", '  "name": "Emoji «ä»",']


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["paper"], 1, "wrong at paper: it is not an object"),
        (["paper", "year"], "2026", "wrong at paper.year: '2026' is not of type int"),
        (["paper", "year"], True, "wrong at paper.year: True is not of type int"),
        (["inputs"], {}, "wrong at inputs: it is not a list"),
        (["inputs", 0], 1, "wrong at inputs.0: it is not an object"),
        (["inputs", 0, "size"], 1.5, "wrong at inputs.0.size: 1.5 is not of type int"),
        (["inputs", 0, "kind"], "noise", "wrong at inputs.0: kind 'noise' is not one of "),
        (["inputs", 1, "classes", 3], None, "wrong at inputs.1.classes.3: None is not of type str"),
        (["outputs", 0, "height"], "8", "wrong at outputs.0.height: '8' is not of type "),
        (["task"], "guess", "wrong at task: 'guess' is not one of 'unconditional', "),
        (["feedback"], 1, "wrong at feedback: 1 is not of type Feedback or null"),
    ],
)
def test_an_error_names_its_place(path: list[str | int], value: object, message: str) -> None:
    document = json.loads(DIGIT.to_json())
    inner = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    remedy = re.escape("; write its metadata again, as docs/models.md shows")
    with pytest.raises(Failure, match=f"^model.onnx: its metadata is {re.escape(message)}.*{remedy}$"):
        parse_metadata(json.dumps(document), "model.onnx")
