"""Controls: components for each kind of input, and how to read their values."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from gan_serve.demo.canvas import make_canvas, read_canvas
from gan_serve.metadata import ModelMetadata
from gan_serve.request import choices
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.tensors import Image, Label, Mask, Scalar

_BUTTONS = 12  # classes shown as radio buttons; more become a drop-down list
_ANY = "any"  # instead of a class: random for each image


@dataclass(frozen=True)
class Control:
    """The components of one input, and a function that converts their values to fields of a request."""

    name: str
    components: Sequence[Component]
    read: Callable[..., Fields]


def make_controls(
    metadata: ModelMetadata, values: Mapping[str, str], examples: Sequence[str], most: int
) -> list[Control]:
    """Return controls for all inputs that a user sets; `values` holds initial values as text."""
    tensors = list(choices(metadata).values())
    masks = [tensor for tensor in tensors if isinstance(tensor, Mask)]
    controls = []
    for tensor in tensors:
        if isinstance(tensor, Label):
            controls.append(_label(tensor, values.get(tensor.name)))
        elif isinstance(tensor, Scalar):
            controls.append(_scalar(tensor, values.get(tensor.name)))
        elif isinstance(tensor, Image):
            controls.append(_image(tensor, masks.pop(0) if masks else None, examples, most))
    return controls


def read_controls(controls: Sequence[Control], values: Sequence[Any]) -> Fields:
    """Return the fields of a request from the values of all components, in order.

    Raises:
        ApiError: an image is malformed.
    """
    fields: Fields = {}
    remaining = list(values)
    for control in controls:
        fields |= control.read(*remaining[: len(control.components)])
        del remaining[: len(control.components)]
    return fields


def _label(tensor: Label, text: str | None) -> Control:
    named: list[tuple[str, int | str]] = list(zip(tensor.classes, tensor.values, strict=True))
    value: int | str = tensor.parse(text)[0] if text else _ANY
    kind = gr.Radio if len(tensor.classes) <= _BUTTONS else gr.Dropdown
    component = kind(
        [("any", _ANY), *named], value=value, label=_title(tensor), info=tensor.description, interactive=True
    )
    return Control(tensor.name, [component], lambda value: {} if value == _ANY else {tensor.name: value})


def _scalar(tensor: Scalar, text: str | None) -> Control:
    """Return a slider. If the input is random by default, also a checkbox, which moving the slider checks."""
    is_random = isinstance(tensor.default, tuple)
    default = sum(tensor.default) / 2 if isinstance(tensor.default, tuple) else tensor.default
    slider = gr.Slider(
        tensor.low,
        tensor.high,
        value=tensor.parse(text)[0] if text else default,
        step=_step(tensor),
        label=_title(tensor),
        info=tensor.description,
        interactive=True,
    )
    if not is_random:
        return Control(tensor.name, [slider], lambda value: {} if value == default else {tensor.name: value})
    fixed = gr.Checkbox(
        bool(text), label=f"Set {tensor.name}; otherwise it is random for each image", container=False, interactive=True
    )
    slider.input(None, None, fixed, js="() => true", queue=False, api_visibility="private")
    return Control(tensor.name, [slider, fixed], lambda value, is_fixed: {tensor.name: value} if is_fixed else {})


def _image(tensor: Image, mask: Mask | None, examples: Sequence[str], most: int) -> Control:
    canvas = make_canvas(tensor, mask, examples, most)
    return Control(tensor.name, [canvas], lambda value: read_canvas(value, tensor, mask))


def _step(tensor: Scalar) -> float:
    """Return a power of ten that divides the range into at least a hundred steps."""
    return float(10.0 ** math.floor(math.log10((tensor.high - tensor.low) / 100)))


def _title(tensor: Label | Scalar) -> str:
    return tensor.name.replace("_", " ").capitalize()
