"""Convert a model's numeric outputs to plain Python values and JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from gan_serve.image_inputs import ImageRef
from gan_serve.request import Inputs, Value
from gan_serve.tensors import Numeric, OutputTensor

NumericOutputs = dict[str, str | int | float | dict[str, float] | None]


def make_numeric_outputs(
    inputs: Inputs, tensors: Sequence[OutputTensor], outputs: Mapping[str, NDArray[Any]]
) -> NumericOutputs:
    """Return the inputs and the numeric outputs of one image by name. An input image appears as its file name.

    Probabilities are listed by class, followed by the most probable class as `<name>_top`. Output images are left out.
    """
    values: NumericOutputs = {name: _plain(value) for name, value in inputs.items()}
    for tensor in tensors:
        if isinstance(tensor, Numeric):
            values |= tensor.plain(outputs[tensor.name])
    return values


def summarize(tensors: Sequence[Numeric], numbers: NumericOutputs) -> str:
    """Return the numeric outputs of one image as a few words."""
    return ", ".join(tensor.summary(numbers) for tensor in tensors)


def encode_numeric_outputs(rows: Sequence[NumericOutputs]) -> bytes:
    """Return JSON Lines: one line per image."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _plain(value: Value) -> str | int | float | None:
    return value.file if isinstance(value, ImageRef) else value
