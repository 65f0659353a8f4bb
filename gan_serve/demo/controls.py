"""Controls: components for each kind of input, and how to read their values."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import gradio as gr
from gradio.components import Component

from gan_serve.demo.canvas import make_canvas, read_canvas
from gan_serve.metadata import ModelMetadata
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.tensors import Image, Mask, Plain, Written
from gan_serve.tensors.controls import Menu, Slider, TextBox

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
    masks = dict(zip(metadata.input_images, metadata.masks, strict=False))
    controls = []
    for tensor in metadata.choices.values():
        if isinstance(tensor, Written):
            controls.append(_written(tensor, values.get(tensor.name)))
        elif isinstance(tensor, Image):
            controls.append(_image(tensor, masks.get(tensor), examples, most))
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


def _written(tensor: Written, text: str | None) -> Control:
    """Return the control that the input's kind has chosen; `text` is the initial value."""
    value = tensor.parse(text)[0] if text else None
    match tensor.control:
        case Menu() as menu:
            return _menu(tensor, menu, value)
        case Slider() as slider:
            return _slider(tensor, slider, value)
        case TextBox() as box:
            return _text_box(tensor, box, value)
        case other:
            assert_never(other)


def _menu(tensor: Written, menu: Menu, value: Plain | None) -> Control:
    """Return radio buttons, or a drop-down list of many values, with "any" unless there is a default."""
    options = [*([] if menu.default is not None else [("any", _ANY)]), *menu.options]
    usual = _ANY if menu.default is None else menu.default
    kind = gr.Radio if len(menu.options) <= _BUTTONS else gr.Dropdown
    component = kind(options, value=usual if value is None else value, **_about(tensor))
    return Control(tensor.name, [component], lambda value: {} if value == usual else {tensor.name: value})


def _slider(tensor: Written, slider: Slider, value: Plain | None) -> Control:
    """Return a slider. If the input is random by default, also a checkbox, which moving the slider checks."""
    start = slider.start if value is None else float(value)
    component = gr.Slider(slider.low, slider.high, value=start, step=_step(slider), **_about(tensor))
    if not slider.is_drawn:
        return Control(tensor.name, [component], lambda value: {} if value == slider.start else {tensor.name: value})
    label = f"Set {tensor.name}; otherwise it is random for each image"
    fixed = gr.Checkbox(value is not None, label=label, container=False, interactive=True)
    component.input(None, None, fixed, js="() => true", queue=False, api_visibility="private")
    return Control(tensor.name, [component, fixed], lambda value, is_fixed: {tensor.name: value} if is_fixed else {})


def _text_box(tensor: Written, box: TextBox, value: Plain | None) -> Control:
    """Return a line of text. An empty one leaves the input to its default."""
    text = "" if value is None else tensor.text_of(value)
    component = gr.Textbox(text, placeholder=box.placeholder, **_about(tensor))
    return Control(tensor.name, [component], lambda value: {tensor.name: value} if value else {})


def _image(tensor: Image, mask: Mask | None, examples: Sequence[str], most: int) -> Control:
    canvas = make_canvas(tensor, mask, examples, most)
    return Control(tensor.name, [canvas], lambda value: read_canvas(value, tensor, mask))


def _step(slider: Slider) -> float:
    """Return a power of ten that divides the range into at least a hundred steps."""
    return float(10.0 ** math.floor(math.log10((slider.high - slider.low) / 100)))


def _about(tensor: Written) -> dict[str, Any]:
    title = tensor.name.replace("_", " ").capitalize()
    return {"label": title, "info": tensor.description, "interactive": True}
