"""Whether a graph is what the metadata in its file says, and computes what they promise."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure
from gan_serve.metadata import REWRITE_METADATA, ModelMetadata
from gan_serve.repository import Model
from gan_serve.tensors import Image, InputTensor, OutputTensor

_Arrays = Mapping[str, NDArray[Any]]

_TYPES = {"float": "float32", "double": "float64"}  # NumPy's names of what the runtime calls otherwise

_KEEP_TYPES = "convert the model so that its inputs and outputs stay float32, and its labels int64"
_VARY = "export it with a batch axis that varies"


def check_graph(model: Model, session: Any) -> None:
    """Compare the inputs and outputs of the graph that a session has loaded with those of its metadata.

    Raises:
        Failure: they differ.
    """
    _check_side(model, "input", model.metadata.inputs, session.get_inputs())
    _check_side(model, "output", model.metadata.outputs, session.get_outputs())
    for tensor, node in zip(model.metadata.inputs, session.get_inputs(), strict=True):
        _check_shape(model, tensor, node)


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
        raise _differs(model, f"input {tensor.name} has the shape {_shown(shape)}", _shown(described))
    if shape[0] != -1:
        raise _differs(model, f"input {tensor.name} takes batches of {shape[0]} alone", "of any size", _VARY)


def _differs(model: Model, found: str, described: str, remedy: str = REWRITE_METADATA) -> Failure:
    return Failure(f"{model.path}: the graph's {found}, its metadata says {described}; {remedy}")


def _shown(shape: Sequence[int]) -> str:
    """A shape with its batch axis: (N, 64), where ? is any length."""
    first, *others = ("?" if length == -1 else str(length) for length in shape)
    return f"({', '.join(['N' if first == '?' else first, *others])})"


def check_outputs(metadata: ModelMetadata, inputs: _Arrays, outputs: _Arrays) -> None:
    """Check what a graph made of its inputs; all have the batch as their first axis.

    Raises:
        Failure: another shape than the metadata says, or a number that is not finite.
    """
    rows, *lengths = next(iter(inputs.values())).shape
    for tensor in metadata.outputs:
        made, expected = outputs[tensor.name], (rows, *_shape(tensor, lengths))
        if made.shape != expected:
            raise Failure(
                f"{metadata.name} made {tensor.name} in the shape {_shown(made.shape)}, its metadata says "
                f"{_shown(expected)}; {REWRITE_METADATA}"
            )
        finite = np.isfinite(made).reshape(rows, -1).all(axis=1)
        if not finite.all():
            raise Failure(
                f"{metadata.name} made {tensor.name} with numbers that are not finite (NaN or infinite) from "
                + _told(inputs, int(finite.argmin()))
            )


def _shape(tensor: OutputTensor, lengths: Sequence[int]) -> tuple[int, ...]:
    """The shape of one answer, where `lengths` are those of the first input without its batch axis."""
    if not isinstance(tensor, Image) or not tensor.any_size:
        return tensor.shape
    return tensor.shape_at(*(length * tensor.scale for length in lengths[1:]))


def _told(inputs: _Arrays, row: int) -> str:
    """The inputs of one row, in a few words: `latent 0, label 3, image -1 to 1`."""
    return ", ".join(f"{name} {_range(array[row])}" for name, array in inputs.items())


def _range(values: NDArray[Any]) -> str:
    low, high = f"{values.min():g}", f"{values.max():g}"
    return low if low == high else f"{low} to {high}"
