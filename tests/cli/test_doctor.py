"""gan-serve doctor: models that cannot run, or that contradict their metadata."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from command_line import Run
from onnx import TensorProto, helper, numpy_helper
from small_models import DIGIT, PAINTER, PLAIN, build_model, save_model


def in_half_precision(model: onnx.ModelProto) -> None:
    for weight in model.graph.initializer:
        if weight.data_type == TensorProto.FLOAT:
            half = numpy_helper.to_array(weight).astype(np.float16)
            weight.CopyFrom(numpy_helper.from_array(half, weight.name))
    for tensor in (model.graph.input[0], model.graph.output[0]):
        tensor.type.tensor_type.elem_type = TensorProto.FLOAT16


def with_labels_of_32_bits(model: onnx.ModelProto) -> None:
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.INT32


def with_another_latent(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32
    weight = next(weight for weight in model.graph.initializer if weight.name == "latent_weight")
    weight.CopyFrom(numpy_helper.from_array(np.zeros((32, 64), np.float32), weight.name))


def for_one_row(model: onnx.ModelProto) -> None:
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_value = 1


def with_one_more_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("strength", TensorProto.FLOAT, ["batch"]))


def with_a_larger_image(model: onnx.ModelProto) -> None:
    shape = next(weight for weight in model.graph.initializer if weight.name == "shape")
    shape.CopyFrom(numpy_helper.from_array(np.array([-1, 1, 16, 4], np.int64), "shape"))
    for axis, length in enumerate((16, 4), 2):
        model.graph.output[0].type.tensor_type.shape.dim[axis].dim_value = length


def with_an_unheard_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Unheard"


def dividing_by_the_length(model: onnx.ModelProto) -> None:
    """Zero latents become NaN, and no others."""
    product = next(node for node in model.graph.node if "latent" in node.input)
    product.input[0] = "normalised"
    model.graph.node.insert(0, helper.make_node("Div", ["latent", "length"], ["normalised"]))
    model.graph.node.insert(0, helper.make_node("ReduceL2", ["latent", "length_axis"], ["length"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "length_axis"))


def overflowing(model: onnx.ModelProto) -> None:
    """Latents 8 standard deviations out are raised to a power that no float32 holds."""
    product = next(node for node in model.graph.node if "latent" in node.input)
    product.input[0] = "raised"
    model.graph.node.insert(0, helper.make_node("Pow", ["latent", "power"], ["raised"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array(45, np.float32), "power"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            in_half_precision,
            "digits/1/model.onnx: the graph's input latent is float16, but its metadata says float32; convert",
        ),
        (
            with_labels_of_32_bits,
            "the graph's input label is int32, but its metadata says int64; convert the model so that",
        ),
        (
            with_another_latent,
            "the graph's input latent has the shape (N, 32), but its metadata says (N, 16); write its",
        ),
        (
            for_one_row,
            "the graph's input latent has the batch size 1, but its metadata says any; export it with",
        ),
        (
            with_one_more_input,
            "the graph's inputs are latent, label, strength, but its metadata says latent, label; write",
        ),
        (
            with_a_larger_image,
            "/1/model.onnx: the graph's output image has the shape (N, 1, 16, 4), "
            "but its metadata says (N, 1, 8, 8); write its",
        ),
        (with_an_unheard_operator, "ONNX Runtime cannot load it ("),
        (
            dividing_by_the_length,
            "digits returned image with numbers that are not finite (NaN or infinite) from latent 0, ",
        ),
        (
            overflowing,
            "digits returned image with numbers that are not finite (NaN or infinite) from latent 8, label 1",
        ),
    ],
)
def test_a_bad_model_is_reported_in_one_line_and_hides_no_other(
    run: Run, tmp_path: Path, spoil: Callable[[onnx.ModelProto], None], message: str
) -> None:
    model = build_model(DIGIT)
    spoil(model)
    for metadata, content in ((DIGIT, model.SerializeToString()), (PLAIN, None), (replace(DIGIT, version=2), None)):
        save_model(tmp_path / "models", metadata, content)
    ill = run("doctor", "--models", tmp_path / "models")
    (line,) = (line for line in ill.out.splitlines() if not line.startswith("ok "))
    assert line.startswith("BAD models ")
    assert message in line
    assert re.search(r"^ok  models +digits 2, plain 1 in ", ill.out, re.MULTILINE)
    assert (ill.code, ill.error) == (1, "")


def test_a_model_that_cannot_run_is_rejected_when_it_is_used(run: Run, tmp_path: Path) -> None:
    model = build_model(DIGIT)
    in_half_precision(model)
    path = save_model(tmp_path / "models", DIGIT, model.SerializeToString())
    outcome = run("generate", "--models", tmp_path / "models", "--model", "digits")
    assert outcome.code == 1
    assert outcome.error == (
        f"error: {path}: the graph's input latent is float16, but its metadata says float32; convert the model so that "
        "its inputs and outputs stay float32, and its labels int64\n"
    )


def test_no_image_is_made_of_numbers_that_are_not_finite(run: Run, tmp_path: Path) -> None:
    model = build_model(PLAIN)
    weight = next(weight for weight in model.graph.initializer if weight.name == "latent_weight")
    weight.CopyFrom(numpy_helper.from_array(np.full(weight.dims, np.nan, np.float32), weight.name))
    save_model(tmp_path / "models", PLAIN, model.SerializeToString())
    outcome = run("generate", "--models", tmp_path / "models", "--model", "plain", "--seed", 0)
    assert outcome.code == 1
    assert re.fullmatch(
        r"error: plain returned image with numbers that are not finite .* from latent -\S+ to \S+\n", outcome.error
    )
    assert list(Path().iterdir()) == []


def test_an_image_model_is_tried_with_white_images_too(run: Run, tmp_path: Path) -> None:
    model = build_model(PAINTER)
    (first,) = model.graph.node
    first.input[1] = "logarithm"
    model.graph.node.insert(0, helper.make_node("Log", ["darkness"], ["logarithm"]))
    model.graph.node.insert(0, helper.make_node("Sub", ["ends", PAINTER.inputs[0].name], ["darkness"]))
    save_model(tmp_path / "models", PAINTER, model.SerializeToString())
    assert "not finite (NaN or infinite) from image 1\n" in run("doctor", "--models", tmp_path / "models").out


def test_an_unused_gpu_is_the_only_reason_to_change_the_runtime(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pip uninstall" not in run("doctor").out
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho NVIDIA, 580\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert re.search(r"^ok  runtime .*to use the NVIDIA GPU: pip uninstall", run("doctor").out, re.MULTILINE)
