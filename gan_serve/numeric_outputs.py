"""Convert a model's numeric outputs to plain Python values and JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from gan_serve.image_inputs import ImageRef
from gan_serve.request import Inputs, Value
from gan_serve.tensors import OutputTensor, Probabilities, ScoreOutput

NumericOutputs = dict[str, str | int | float | dict[str, float] | None]

_DIGITS = 6  # after the decimal point


def make_numeric_outputs(
    inputs: Inputs, tensors: Sequence[OutputTensor], outputs: Mapping[str, NDArray[Any]]
) -> NumericOutputs:
    """Return the inputs and the numeric outputs of one image by name. An input image appears as its file name.

    Probabilities are listed by class, followed by the most probable class as `<name>_top`. Output images are left out.
    """
    values: NumericOutputs = {name: _plain(value) for name, value in inputs.items()}
    for tensor in tensors:
        if isinstance(tensor, Probabilities):
            shares = [_rounded(share) for share in outputs[tensor.name]]
            values[tensor.name] = dict(zip(tensor.classes, shares, strict=True))
            values[f"{tensor.name}_top"] = tensor.classes[int(outputs[tensor.name].argmax())]
        elif isinstance(tensor, ScoreOutput):
            values[tensor.name] = _rounded(outputs[tensor.name])
    return values


def encode_numeric_outputs(rows: Sequence[NumericOutputs]) -> bytes:
    """Return JSON Lines: one line per image."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _plain(value: Value) -> str | int | float | None:
    return value.file if isinstance(value, ImageRef) else value


def _rounded(number: Any) -> float:
    return round(float(number), _DIGITS)
