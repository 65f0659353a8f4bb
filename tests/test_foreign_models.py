"""A generator exported by another tool, with the metadata of docs/models.md."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from command_line import Run
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

DESCRIBE, RESHAPE = re.findall(
    r"```python\n(.*?)```", (Path(__file__).parents[1] / "docs" / "models.md").read_text(), re.DOTALL
)


def save_generator(name: str, *sides: int) -> None:
    """noise (N, 100, ...) -> output (N, 3, 64, 64), as many a collection has it."""
    weight = np.random.RandomState(0).standard_normal((100, 3 * 64 * 64)).astype(np.float32) / 10
    nodes = [
        helper.make_node("Flatten", [name], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["bounded"]),
        helper.make_node("Reshape", ["bounded", "shape"], ["output"]),
    ]
    weights = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array([-1, 3, 64, 64]), "shape")]
    noise = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 100, *sides])
    image = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 3, 64, 64])
    model = helper.make_model(
        helper.make_graph(nodes, "generator", [noise], [image], weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    onnx.save(model, "generator.onnx")


@pytest.mark.parametrize("layout", ["plain", "as DCGAN's"])
def test_it_is_served_once_it_is_described(run: Run, layout: str) -> None:
    if layout == "plain":
        save_generator("noise")
    else:
        save_generator("z.1", 1, 1)
        exec(RESHAPE, {})
    exec(DESCRIBE, {})
    models = Path("my-models").resolve()
    checked = run("doctor", "--models", models)
    assert checked.code == 0, checked.out
    made = run("generate", "--models", models, "--model", "mine", "--seed", 7)
    assert made.code == 0, made.error
    with Image.open("mine-seed7.png") as image:
        assert (image.size, image.mode) == ((64, 64), "RGB")
        assert len(image.getcolors(2**24) or []) > 1000


@pytest.mark.parametrize("command", ["generate", "translate", "info", "doctor", "list"])
def test_it_is_refused_with_a_page_that_helps_until_then(run: Run, command: str) -> None:
    save_generator("noise")
    path = Path("my-models/mine/1/model.onnx").resolve()
    path.parent.mkdir(parents=True)
    Path("generator.onnx").rename(path)
    name = {"generate": ["--model", "mine"], "translate": ["mine", "x.png"], "info": ["mine"]}.get(command, [])
    outcome = run(command, *name, "--models", path.parents[2])
    (line,) = (line for line in (outcome.out + outcome.error).splitlines() if "model.onnx" in line)
    assert line.endswith(
        f"{path}: not a gan-serve model (no 'gan_serve' metadata); "
        "docs/models.md shows how to add metadata to a foreign model"
    )
