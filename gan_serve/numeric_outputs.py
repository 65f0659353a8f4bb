"""A model's numbers -> plain values, for people, programs and JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from gan_serve.image_inputs import ImageRef
from gan_serve.request import Inputs, Value
from gan_serve.tensors import OutputTensor, Probabilities, ScoreOutput

NumericOutputs = dict[str, str | int | float | dict[str, float] | None]

_DIGITS = 6  # behind the point


def make_numeric_outputs(
    inputs: Inputs, tensors: Sequence[OutputTensor], outputs: Mapping[str, NDArray[Any]]
) -> NumericOutputs:
    """What went in and what came out for one image, by name; an image is told by the name of its file.

    Probabilities are told for each class, followed by the most probable one as `<name>_top`. Images that came out are
    left out.
    """
    answer: NumericOutputs = {name: _told(value) for name, value in inputs.items()}
    for tensor in tensors:
        if isinstance(tensor, Probabilities):
            shares = [_rounded(share) for share in outputs[tensor.name]]
            answer[tensor.name] = dict(zip(tensor.classes, shares, strict=True))
            answer[f"{tensor.name}_top"] = tensor.classes[int(outputs[tensor.name].argmax())]
        elif isinstance(tensor, ScoreOutput):
            answer[tensor.name] = _rounded(outputs[tensor.name])
    return answer


def encode_numeric_outputs(answers: Sequence[NumericOutputs]) -> bytes:
    """A line of JSON for each."""
    return "".join(f"{json.dumps(answer)}\n" for answer in answers).encode()


def _told(value: Value) -> str | int | float | None:
    return value.file if isinstance(value, ImageRef) else value


def _rounded(number: Any) -> float:
    return round(float(number), _DIGITS)
