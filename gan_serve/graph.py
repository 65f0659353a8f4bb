"""Check a graph and its outputs against the metadata."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure
from gan_serve.metadata import REWRITE_METADATA, ModelMetadata
from gan_serve.repository import Model
from gan_serve.tensors import Image, InputTensor, OutputTensor

_Arrays = Mapping[str, NDArray[Any]]

_TYPES = {"float": "float32", "double": "float64"}  # ONNX Runtime's type names -> NumPy's

_KEEP_TYPES = "convert the model so that its inputs and outputs stay float32, and its labels int64"
_DYNAMIC_BATCH = "export it with a dynamic batch axis"


def check_graph(model: Model, session: Any) -> None:
    """Compare the inputs and outputs of a session's graph with the metadata.

    Raises:
        Failure: They differ.
    """
    _check_side(model, "input", model.metadata.inputs, session.get_inputs())
    _check_side(model, "output", model.metadata.outputs, session.get_outputs())
    for tensor, node in zip(model.metadata.inputs, session.get_inputs(), strict=True):
        _check_shape(model, tensor, node)
    for output, node in zip(model.metadata.outputs, session.get_outputs(), strict=True):
        _check_output_shape(model, output, node)


def _check_side(model: Model, side: str, tensors: Sequence[InputTensor | OutputTensor], nodes: Sequence[Any]) -> None:
    described, found = [tensor.name for tensor in tensors], [node.name for node in nodes]
    if described != found:
        raise _differs(model, f"{side}s are {', '.join(found)}", ", ".join(described))
    for tensor, node in zip(tensors, nodes, strict=True):
        element = node.type.removeprefix("tensor(").removesuffix(")")
        if (found_type := _TYPES.get(element, element)) != tensor.dtype:
            raise _differs(model, f"{side} {tensor.name} is {found_type}", tensor.dtype, _KEEP_TYPES)


def _check_shape(model: Model, tensor: InputTensor, node: Any) -> None:
    shape = [length if isinstance(length, int) else -1 for length in node.shape]
    described = [-1, *tensor.shape]
    if shape[1:] != described[1:]:
        raise _differs(model, f"input {tensor.name} has the shape {_text(shape)}", _text(described))
    if shape[0] != -1:
        raise _differs(model, f"input {tensor.name} has the batch size {shape[0]}", "any", _DYNAMIC_BATCH)


def _check_output_shape(model: Model, tensor: OutputTensor, node: Any) -> None:
    """Compare the lengths that the graph knows. An exporter may leave them open, the whole shape included."""
    shape = [length if isinstance(length, int) else -1 for length in node.shape or ()]
    described = [-1, *tensor.shape]
    known = [
        (found, length) for found, length in zip(shape[1:], described[1:], strict=False) if -1 not in (found, length)
    ]
    if shape and (len(shape) != len(described) or any(found != length for found, length in known)):
        raise _differs(model, f"output {tensor.name} has the shape {_text([-1, *shape[1:]])}", _text(described))


def _differs(model: Model, found: str, described: str, remedy: str = REWRITE_METADATA) -> Failure:
    return Failure(f"{model.path}: the graph's {found}, but its metadata says {described}; {remedy}")


def _text(shape: Sequence[int]) -> str:
    """Return a shape with its batch axis as text, such as (N, 64); ? is any length."""
    first, *others = ("?" if length == -1 else str(length) for length in shape)
    return f"({', '.join(['N' if first == '?' else first, *others])})"


def check_outputs(metadata: ModelMetadata, inputs: _Arrays, outputs: _Arrays) -> None:
    """Check the outputs of a graph. The batch is the first axis of every array.

    Raises:
        Failure: A shape differs from the metadata, or a number is not finite.
    """
    rows = len(next(iter(inputs.values())))
    for tensor in metadata.outputs:
        output, expected = outputs[tensor.name], (rows, *_shape(tensor, inputs))
        if output.shape != expected:
            raise Failure(
                f"{metadata.name} returned {tensor.name} in the shape {_text(output.shape)}, but its metadata says "
                f"{_text(expected)}; {REWRITE_METADATA}"
            )
        finite = np.isfinite(output).reshape(rows, -1).all(axis=1)
        if not finite.all():
            raise Failure(
                f"{metadata.name} returned {tensor.name} with numbers that are not finite (NaN or infinite) from "
                + _summary(inputs, int(finite.argmin()))
            )


def _shape(tensor: OutputTensor, inputs: _Arrays) -> tuple[int, ...]:
    """Return the expected shape of one row of an output."""
    if not isinstance(tensor, Image) or not tensor.any_size:
        return tensor.shape
    assert tensor.like  # as the metadata's checks require
    return tensor.shape_at(*(length * tensor.scale for length in inputs[tensor.like].shape[2:]))


def _summary(inputs: _Arrays, row: int) -> str:
    """Summarize the inputs of one row, such as `latent 0, label 3, image -1 to 1`."""
    return ", ".join(f"{name} {_range(array[row])}" for name, array in inputs.items())


def _range(values: NDArray[Any]) -> str:
    low, high = f"{values.min():g}", f"{values.max():g}"
    return low if low == high else f"{low} to {high}"
