"""Numeric outputs as plain values and JSON."""

import json

import numpy as np

from gan_serve.image_inputs import ImageRef
from gan_serve.numeric_outputs import encode_numeric_outputs, make_numeric_outputs
from gan_serve.tensors import Image, Probabilities, ScoreOutput

CLASSES = Probabilities(name="classes", classes=("cat", "dog", "owl"))
REALNESS = ScoreOutput(name="realness", low=0, high=1)
MADE = Image(name="made", channels=1, height=2, width=2)
OUTPUTS = {
    "classes": np.array([0.1, 0.7, 0.2], np.float32),
    "realness": np.array(0.123456789, np.float32),
    "made": np.zeros((1, 2, 2), np.float32),
}


def test_numeric_outputs_hold_the_inputs_and_every_number() -> None:
    answer = make_numeric_outputs(
        {"image": ImageRef("a.png", "0" * 64), "tilt": 0.5}, [CLASSES, REALNESS, MADE], OUTPUTS
    )
    assert answer == {
        "image": "a.png",
        "tilt": 0.5,
        "classes": {"cat": 0.1, "dog": 0.7, "owl": 0.2},
        "classes_top": "dog",
        "realness": 0.123457,
    }
    assert make_numeric_outputs({"image": ImageRef(None, "0" * 64)}, [], {}) == {"image": None}


def test_each_image_is_a_line_of_json() -> None:
    answers = [make_numeric_outputs({"tilt": tilt}, [REALNESS], OUTPUTS) for tilt in (1, 2)]
    lines = encode_numeric_outputs(answers).decode()
    assert lines.endswith("}\n")
    assert [json.loads(line) for line in lines.splitlines()] == answers
