from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from small_models import DIGIT, build_model

from gan_serve import Failure
from gan_serve.metadata import PROPERTY
from gan_serve.onnxfile import read_property

CONTENT = build_model(DIGIT).SerializeToString()


def read(content: bytes) -> str:
    return read_property(content, PROPERTY, "model.onnx")


def test_the_property_is_the_one_that_onnx_wrote() -> None:
    assert read(CONTENT) == DIGIT.to_json()


@pytest.mark.parametrize("length", [1, 2, 10, len(CONTENT) // 2, len(CONTENT) - 200, len(CONTENT) - 1])
def test_truncated_file(length: int) -> None:
    with pytest.raises(Failure, match=r"truncated|no 'gan_serve' metadata"):
        read(CONTENT[:length])


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + bytes(99), b"PK\x03\x04" + bytes(99), b"hello, world", b"\xff" * 99]
)
def test_foreign_file(content: bytes) -> None:
    with pytest.raises(Failure, match="not an ONNX file"):
        read(content)


def test_empty_file() -> None:
    with pytest.raises(Failure, match="empty"):
        read(b"")


def test_onnx_file_of_others() -> None:
    model = build_model(DIGIT)
    helper.set_model_props(model, {"other": "tool"})
    with pytest.raises(Failure, match=r"not a gan-serve model .* docs/models.md shows how to add metadata"):
        read(model.SerializeToString())


def test_every_damaged_byte_is_read_or_refused_but_never_a_traceback() -> None:
    random = np.random.RandomState(0)
    for _ in range(300):
        damaged = bytearray(CONTENT)
        damaged[random.randint(len(CONTENT))] = random.randint(256)
        try:
            read(bytes(damaged))
        except Failure:
            continue


def wrapped(field: int, content: bytes) -> bytes:
    """A message as the field of another one."""
    size = len(content)
    return bytes([field << 3 | 2, size & 127 | 128, size >> 7]) + content


def test_graphs_nested_too_deep() -> None:
    content = b""
    for _ in range(390):  # graph.node.attribute.g.node.attribute.g ...
        content = wrapped(1, wrapped(5, wrapped(6, content)))
    with pytest.raises(Failure, match="damaged"):
        read(b"\x08\x0a" + wrapped(7, content))


def external(tensor: onnx.TensorProto) -> onnx.TensorProto:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def in_initializer(model: onnx.ModelProto) -> None:
    external(model.graph.initializer[0])


def in_constant(model: onnx.ModelProto) -> None:
    weight = external(numpy_helper.from_array(np.zeros(9, np.float32)))
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=weight))


def in_branch(model: onnx.ModelProto) -> None:
    weight = external(numpy_helper.from_array(np.zeros(9, np.float32), "hidden"))
    branch = helper.make_graph([], "branch", [], [], [weight])
    model.graph.node.append(helper.make_node("If", ["unused"], ["x"], then_branch=branch, else_branch=branch))


@pytest.mark.parametrize("hide", [in_initializer, in_constant, in_branch])
def test_weights_outside_the_file_are_refused(hide) -> None:
    model = build_model(DIGIT)
    hide(model)
    with pytest.raises(Failure, match="weights are in another file"):
        read(model.SerializeToString())


def test_weights_saved_outside_by_onnx_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(build_model(DIGIT), path, save_as_external_data=True, size_threshold=0)
    with pytest.raises(Failure, match=r"weights are in another file; .*onnx.save\(onnx.load\(FILE\), FILE\)"):
        read(path.read_bytes())
    onnx.save(onnx.load(path), path)
    assert read(path.read_bytes()) == DIGIT.to_json()
