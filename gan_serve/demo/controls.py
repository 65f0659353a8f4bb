"""A component for each kind of input, and what a handler reads from it."""

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

_BUTTONS = 12  # classes that are shown all at once
_ANY = "any"  # instead of a class: drawn for every image


@dataclass(frozen=True)
class Control:
    """Components for the input `name`, and how their values become fields of a request."""

    name: str
    components: Sequence[Component]
    read: Callable[..., Fields]


def make_controls(
    metadata: ModelMetadata, given: Mapping[str, str], examples: Sequence[str], most: int
) -> list[Control]:
    """Controls for all inputs that a user sets, with the values that the address names."""
    tensors = list(choices(metadata).values())
    masks = [tensor for tensor in tensors if isinstance(tensor, Mask)]
    made = []
    for tensor in tensors:
        if isinstance(tensor, Label):
            made.append(_label(tensor, given.get(tensor.name)))
        elif isinstance(tensor, Scalar):
            made.append(_scalar(tensor, given.get(tensor.name)))
        elif isinstance(tensor, Image):
            made.append(_image(tensor, masks.pop(0) if masks else None, examples, most))
    return made


def read_controls(controls: Sequence[Control], values: Sequence[Any]) -> Fields:
    """The fields of a request, from the values of all components in their order.

    Raises:
        ApiError: an image that the page does not send.
    """
    fields: Fields = {}
    left = list(values)
    for control in controls:
        fields |= control.read(*left[: len(control.components)])
        del left[: len(control.components)]
    return fields


def _label(tensor: Label, given: str | None) -> Control:
    named: list[tuple[str, int | str]] = list(zip(tensor.classes, tensor.values, strict=True))
    value: int | str = tensor.parse(given)[0] if given else _ANY
    kind = gr.Radio if len(tensor.classes) <= _BUTTONS else gr.Dropdown
    component = kind(
        [("any", _ANY), *named], value=value, label=_title(tensor), info=tensor.description, interactive=True
    )
    return Control(tensor.name, [component], lambda value: {} if value == _ANY else {tensor.name: value})


def _scalar(tensor: Scalar, given: str | None) -> Control:
    """A slider; where the value is drawn if nobody sets it, moving the slider says that somebody does."""
    drawn = isinstance(tensor.default, tuple)
    usual = sum(tensor.default) / 2 if isinstance(tensor.default, tuple) else tensor.default
    slider = gr.Slider(
        tensor.low,
        tensor.high,
        value=tensor.parse(given)[0] if given else usual,
        step=_step(tensor),
        label=_title(tensor),
        info=tensor.description,
        interactive=True,
    )
    if not drawn:
        return Control(tensor.name, [slider], lambda value: {} if value == usual else {tensor.name: value})
    fixed = gr.Checkbox(
        bool(given), label=f"Set {tensor.name}; else it is drawn for each image", container=False, interactive=True
    )
    slider.input(None, None, fixed, js="() => true", queue=False, api_visibility="private")
    return Control(tensor.name, [slider, fixed], lambda value, is_fixed: {tensor.name: value} if is_fixed else {})


def _image(tensor: Image, mask: Mask | None, examples: Sequence[str], most: int) -> Control:
    easel = make_canvas(tensor, mask, examples, most)
    return Control(tensor.name, [easel], lambda value: read_canvas(value, tensor, mask))


def _step(tensor: Scalar) -> float:
    """A power of ten, of which at least a hundred fit into the range."""
    return float(10.0 ** math.floor(math.log10((tensor.high - tensor.low) / 100)))


def _title(tensor: Label | Scalar) -> str:
    return tensor.name.replace("_", " ").capitalize()
