"""A new kind of input is one file and its name in one list: every front end then takes, describes and shows it."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import onnx
import pytest
from angle import Angle
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from server_process import Server
from small_models import GREY, metadata_of, save_model

import gan_serve
from gan_serve.demo.controls import make_controls, read_controls
from gan_serve.demo.modes import modes_of
from gan_serve.demo.permalink import texts_of
from gan_serve.metadata import PROPERTY
from gan_serve.tensors import Scalar

ANGLE = Path(__file__).with_name("angle.py")
KINDS = "InputTensor = Latent | Label | Scalar | Image | Mask"
COMPASS = metadata_of("compass", (Scalar(name="angle", low=0, high=1, default=0, description="Whereto."),), GREY)
COMMANDS = (
    ["list"],
    ["info", "compass"],
    ["generate", "--model", "compass", "--help"],
    ["generate", "--model", "compass", "--angle", "60deg", "--seed", "0"],
    ["generate", "--model", "compass", "--count", "2", "--seed", "5", "--output", "drawn"],
    ["generate", "--model", "compass", "--angle", "0deg,90deg", "--seed", "0", "--grid", "--output", "grid.png"],
    ["generate", "--model", "compass", "--angle", "90"],
    ["reproduce", "compass-angle60deg-seed0.png"],
    ["reproduce", "grid.png"],
    ["doctor"],
)
SCRIPT = f"""
import contextlib, io, json
from gan_serve.cli import run

outcomes = []
for arguments in {COMMANDS!r}:
    out, error = (io.TextIOWrapper(io.BytesIO()) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = run(arguments)
    texts = [file.flush() or file.buffer.getvalue().decode() for file in (out, error)]
    outcomes.append((code, *texts))
print(json.dumps(outcomes))
"""


def save_compass(root: Path) -> None:
    """A model that paints the cosine of an angle."""
    weights = [numpy_helper.from_array(np.zeros((1, 8, 8), np.float32), "zeros")]
    nodes = [
        helper.make_node("Cos", ["angle"], ["cosine"]),
        helper.make_node("Constant", [], ["axes"], value_ints=[1, 2, 3]),
        helper.make_node("Unsqueeze", ["cosine", "axes"], ["pixel"]),
        helper.make_node("Add", ["pixel", "zeros"], ["image"]),
    ]
    angle = helper.make_tensor_value_info("angle", TensorProto.FLOAT, ["batch"])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])
    graph = helper.make_graph(nodes, "compass", [angle], [image], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    document = json.loads(COMPASS.to_json())
    document["inputs"] = [{"kind": "angle", "name": "angle", "description": "Whereto."}]
    onnx.helper.set_model_props(model, {PROPERTY: json.dumps(document)})
    save_model(root, COMPASS, model.SerializeToString())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder but for a gan_serve with one more kind, and a model that uses it."""
    root = tmp_path_factory.mktemp("new-kind")
    source = Path(gan_serve.__file__).parent
    shutil.copytree(source, root / "gan_serve")
    shutil.copy(ANGLE, root / "gan_serve" / "tensors")
    kinds = root / "gan_serve" / "tensors" / "__init__.py"
    text = kinds.read_text()
    assert text.count(KINDS) == 1
    kinds.write_text(text.replace(KINDS, f"from gan_serve.tensors.angle import Angle\n\n{KINDS} | Angle"))
    save_compass(root / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)  # Python looks there first
        patch.setenv("GAN_SERVE_MODELS", "models")
        yield root


def test_the_command_line_needs_no_change(folder: Path) -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    outcomes = json.loads(run.stdout)
    listed, info, usage, _, _, _, wrong, again, grid_again, checked = outcomes
    assert "--angle" in listed[1]
    assert "angle: an angle from 0deg to 359deg (default: drawn at random)" in info[1]
    assert "Whereto. an angle from 0deg to 359deg" in " ".join(usage[1].split())
    assert wrong == [2, "", "error: angle '90' is not an angle from 0deg to 359deg\n"]
    assert [again[2], grid_again[2]] == ["identical\n", "identical\n"]
    assert [code for code, *_ in outcomes if code] == [2]
    assert "compass" in checked[1]
    image = np.asarray(Image.open(folder / "compass-angle60deg-seed0.png"))
    np.testing.assert_array_equal(image, np.full((8, 8), round((math.cos(math.radians(60)) + 1) * 127.5)))
    drawn = [path.name.split("-")[1] for path in sorted((folder / "drawn").glob("*.png"))]
    assert len(set(drawn)) == 2, "drawn from (seed, index)"


def test_the_demo_needs_no_change() -> None:
    metadata = replace(COMPASS, inputs=(Angle(name="angle", description="Whereto."),))  # type: ignore[arg-type]
    (control,) = make_controls(metadata, {"angle": "30deg"}, [], 1)
    (box,) = control.components
    assert isinstance(box, gr.Textbox)
    assert (box.label, box.info, box.placeholder, box.value) == ("Angle", "Whereto.", "0deg,90deg", "30deg")
    assert [read_controls([control], [text]) for text in ("45deg", "")] == [{"angle": "45deg"}, {}]
    assert list(modes_of(metadata)) == ["images"]
    assert texts_of(metadata, {"angle": "45deg"}) == {"angle": "45deg"}


def test_the_server_needs_no_change(folder: Path) -> None:
    with Server("models") as server:
        query = server.get("/v1/models/compass/generate?angle=60deg&seed=0")
        body = server.generate("compass", json={"angle": ["60deg", "90deg"], "seed": 0, "format": "json"})
        wrong = server.generate("compass", json={"angle": 60})
        route = server.get("/openapi.json").json()["paths"]["/v1/models/compass/generate"]
        tensor = {"name": "angle", "datatype": "FP32", "shape": [1], "data": [math.pi / 2]}
        made = server.post("/v2/models/compass/infer", json={"inputs": [tensor]})
        beyond = server.post("/v2/models/compass/infer", json={"inputs": [{**tensor, "data": [7]}]})
        described = server.get("/v2/models/compass").json()["inputs"]
    assert [answer["values"] for answer in body.json()["answers"]] == [{"angle": "60deg"}, {"angle": "90deg"}]
    assert query.headers["Content-Type"] == "image/png"
    assert wrong.json()["error"] == "angle '60' is not an angle from 0deg to 359deg"
    (parameter,) = (each for each in route["get"]["parameters"] if each["name"] == "angle")
    assert parameter["schema"] == {"type": "string", "pattern": "^[0-9]{1,3}deg$"}
    assert described == [{"name": "angle", "datatype": "FP32", "shape": [-1]}]
    np.testing.assert_allclose(made.json()["outputs"][0]["data"], np.zeros(64), atol=1e-6)
    assert beyond.json()["error"] == "the values of angle must be from 0 to 6.28319"
