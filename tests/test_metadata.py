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


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        DIGIT.to_json().replace('"kind":"latent"', '"kind":"wish"'),
        DIGIT.to_json().replace("digits", "../x"),
    ],
)
def test_wrong_document_is_one_line_that_names_the_file(document: str) -> None:
    with pytest.raises(Failure, match=r"^model\.onnx: its metadata") as error:
        parse_metadata(document, "model.onnx")
    assert "\n" not in str(error.value)
