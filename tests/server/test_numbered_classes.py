"""Classes named by numbers mean the same in every front end: 10 is the class named 10, whatever its index."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from numpy.typing import NDArray
from server_process import Server
from small_models import DIGIT, save_model

from gan_serve.demo.controls import make_controls, read_controls
from gan_serve.demo.permalink import texts_of
from gan_serve.generator import Generator
from gan_serve.repository import Repository
from gan_serve.request import make_request
from gan_serve.runtime import open_session, parse_device
from gan_serve.sampling import input_arrays
from gan_serve.tensors import Label

NUMBERED = replace(DIGIT, name="numbered", inputs=(DIGIT.inputs[0], Label(name="label", classes=("1", "10", "2"))))
PLACE = {1: 0, 10: 1, 2: 2}  # index of each class in the graph


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("numbered")
    save_model(root, NUMBERED)
    return root


@pytest.fixture(scope="module")
def numbered_server(numbered: Path) -> Iterator[Server]:
    with Server(numbered) as server:
        yield server


@pytest.fixture(scope="module")
def expected(numbered: Path) -> dict[int, NDArray[np.float32]]:
    """The graph's output for each class, with the noise of seed 7."""
    model = Repository(numbered).find("numbered")
    session = open_session(model.content, "numbered", parse_device("cpu"), threads=1)
    request = make_request(NUMBERED, {"label": 1}, seed=7)
    arrays = input_arrays(NUMBERED.inputs, 7, [request.item(0)])
    return {
        number: session.run(["image"], arrays | {"label": np.array([place])})[0][0] for number, place in PLACE.items()
    }


def test_python_draws_the_class_of_that_name(numbered: Path, expected: dict[int, NDArray[np.float32]]) -> None:
    generator = Generator(Repository(numbered).find("numbered"))
    for number, image in expected.items():
        for label in (number, str(number), np.int64(number)):
            np.testing.assert_allclose(generator.generate(label=label, seed=7).outputs["image"][0], image, atol=1e-6)
    several = generator.generate(label="1-10", seed=7)
    assert [item.inputs["label"] for item in several.items] == [1, 2, 10]
    np.testing.assert_allclose(several.outputs["image"], np.stack([expected[1], expected[2], expected[10]]), atol=1e-6)
    at_random = generator.generate(count=40, seed=7)
    assert {item.inputs["label"] for item in at_random.items} == {1, 2, 10}


def test_every_front_end_writes_the_same_file(
    numbered: Path, numbered_server: Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_SERVE_MODELS", str(numbered))
    assert run("generate", "--model", "numbered", "--label", "10", "--seed", 7).code == 0
    content = Path("numbered-label10-seed7.png").read_bytes()
    for label in (10, "10", [10]):
        assert (
            numbered_server.generate("numbered", json={"label": label, "seed": 7, "format": "png"}).content == content
        )
    assert numbered_server.get("/v1/models/numbered/generate?label=10&seed=7&format=png").content == content
    assert run("reproduce", "numbered-label10-seed7.png").error.strip() == "identical"
    for answer in (
        numbered_server.generate("numbered", json={"label": 0}),
        numbered_server.get("/v1/models/numbered/generate?label=0"),
    ):
        assert (answer.status_code, "does not exist; use 1, 10, 2" in answer.json()["error"]) == (400, True)
    refused = run("generate", "--model", "numbered", "--label", "0")
    assert (refused.code, "label '0' does not exist; use 1, 10, 2" in refused.error) == (2, True)
    assert "1, 10, 2" in " ".join(run("generate", "--model", "numbered", "--help").out.split())


def test_the_schema_lists_the_numbers(numbered_server: Server) -> None:
    get = numbered_server.get("/openapi.json").json()["paths"]["/v1/models/numbered/generate"]["get"]
    (label,) = (each["schema"] for each in get["parameters"] if each["name"] == "label")
    assert label["anyOf"][:2] == [{"type": "string", "enum": ["1", "10", "2"]}, {"type": "integer", "enum": [1, 10, 2]}]


def test_the_inference_protocol_takes_the_index_of_a_class(
    numbered_server: Server, expected: dict[int, NDArray[np.float32]]
) -> None:
    arrays = input_arrays(NUMBERED.inputs, 7, [make_request(NUMBERED, {"label": 1}, seed=7).item(0)])
    inputs = [
        {
            "name": "latent",
            "shape": list(arrays["latent"].shape),
            "datatype": "FP32",
            "data": arrays["latent"].tolist(),
        },
        {"name": "label", "shape": [1], "datatype": "INT64", "data": [PLACE[10]]},
    ]
    (image,) = numbered_server.post("/v2/models/numbered/infer", json={"inputs": inputs}).json()["outputs"]
    np.testing.assert_allclose(image["data"], expected[10].ravel(), atol=1e-6)


def test_the_demo_sends_the_number_and_shows_the_name() -> None:
    (control,) = make_controls(NUMBERED, {"label": "10"}, [], 4)
    (component,) = control.components
    assert component.value == 10
    assert component.choices == [("any", "any"), ("1", 1), ("10", 10), ("2", 2)]
    assert read_controls([control], [10]) == {"label": 10}
    assert read_controls([control], ["any"]) == {}
    assert texts_of(NUMBERED, {"label": 10}) == {"label": "10"}
