"""Outputs of a graph against its metadata."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import numpy_helper
from small_models import CLASSIFIER, ENLARGER, LATENT, PLAIN, build_model, metadata_of, save_model

import gan_serve
from gan_serve.errors import Failure
from gan_serve.graph import check_outputs

BAD = st.sampled_from([np.nan, np.inf, -np.inf])


def outputs_of(rows: int) -> dict[str, NDArray[Any]]:
    return {"classes": np.zeros((rows, 10), np.float32), "brightest": np.zeros(rows, np.float32)}


@given(rows=st.integers(1, 5), bad=BAD, place=st.integers(0, 49))
def test_a_number_that_is_not_finite_is_reported_with_its_inputs(rows: int, bad: float, place: int) -> None:
    inputs = {"image": np.arange(rows, dtype=np.float32)[:, None, None, None] * np.ones((1, 1, 8, 8), np.float32)}
    outputs = outputs_of(rows)
    check_outputs(CLASSIFIER, inputs, outputs)
    row = place % rows
    outputs["classes"][row, place % 10] = bad
    with pytest.raises(Failure, match=rf"classifier returned classes with numbers .* from image {row}$"):
        check_outputs(CLASSIFIER, inputs, outputs)


def test_a_graph_that_makes_another_shape_is_not_loaded(tmp_path: Path) -> None:
    graph = build_model(PLAIN)
    (shape,) = (weight for weight in graph.graph.initializer if weight.name == "shape")
    shape.CopyFrom(numpy_helper.from_array(np.array([-1, 3, 6, 8], np.int64), "shape"))
    for axis, length in ((2, 6), (3, 8)):
        graph.graph.output[0].type.tensor_type.shape.dim[axis].dim_value = length
    save_model(tmp_path, PLAIN, graph.SerializeToString())
    found = r"the graph's output image has the shape \(N, 3, 6, 8\), but its metadata says \(N, 3, 8, 6\); write its"
    with pytest.raises(Failure, match=found):
        gan_serve.load("plain", models=tmp_path)


def test_another_shape_is_reported() -> None:
    inputs = {"latent": np.zeros((2, 16), np.float32)}
    with pytest.raises(Failure, match=r"image in the shape \(2, 3, 8, 5\), but its metadata says \(2, 3, 8, 6\);"):
        check_outputs(PLAIN, inputs, {"image": np.zeros((2, 3, 8, 5), np.float32)})


@given(height=st.integers(1, 8), width=st.integers(1, 8))
def test_an_output_of_any_size_has_the_size_of_its_input_times_the_scale(height: int, width: int) -> None:
    inputs = {"image": np.zeros((1, 3, height, width), np.float32)}
    check_outputs(ENLARGER, inputs, {"larger": np.zeros((1, 3, 2 * height, 2 * width), np.float32)})
    with pytest.raises(Failure, match="in the shape"):
        check_outputs(ENLARGER, inputs, {"larger": np.zeros((1, 3, 2 * height, 2 * width + 1), np.float32)})


def test_an_output_of_any_size_follows_its_own_input_wherever_it_stands() -> None:
    model = metadata_of("drawn", (LATENT, *ENLARGER.inputs), *ENLARGER.outputs)
    inputs = {"latent": np.zeros((1, 16), np.float32), "image": np.zeros((1, 3, 4, 6), np.float32)}
    check_outputs(model, inputs, {"larger": np.zeros((1, 3, 8, 12), np.float32)})
