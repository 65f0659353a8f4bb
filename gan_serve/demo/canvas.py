"""The canvas: a component for an input image (dropped, pasted, chosen or drawn) and a mask painted over it."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gan_serve.server.api.uploads import decode_base64, safe_name
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.tensors import Image, Mask

_SCRIPT = Path(__file__).with_name("canvas.js").read_text()
_SIDE = 256  # pixels per side of the canvas, if a model takes any size
DRAWN = ("drawing.png", "mask.png")  # file names of drawings and masks
_BASE64 = 4 / 3  # characters per byte


def make_canvas(tensor: Image, mask: Mask | None, examples: Sequence[str], most: int) -> gr.HTML:
    """Return a canvas for the image `tensor`, with a brush if it may be drawn or has a mask.

    `examples` are addresses of example images; `most` is the maximum number of bytes in a request.
    """
    return gr.HTML(
        value={},
        html_template=_template(tensor, mask, examples),
        js_on_load=_SCRIPT,
        apply_default_css=False,
        elem_classes="gs-canvas",
        sketch=tensor.sketch,
        mask=mask is not None,
        width=tensor.width or _SIDE,
        height=tensor.height or _SIDE,
        most=int(most / _BASE64) - 2**16 if mask else int(most / _BASE64) - 2**12,
    )


def read_canvas(value: Any, tensor: Image, mask: Mask | None) -> Fields:
    """Return the fields of a request from a canvas's value.

    Raises:
        ApiError: the value is malformed.
    """
    content = value if isinstance(value, dict) else {}
    fields: Fields = {}
    if content.get("image"):
        fields[tensor.name] = [(safe_name(str(content.get("name", ""))), decode_base64(tensor, content["image"]))]
    if mask and content.get("mask"):
        fields[mask.name] = [(DRAWN[1], decode_base64(mask, content["mask"]))]
    return fields


def _template(tensor: Image, mask: Mask | None, examples: Sequence[str]) -> str:
    name = html.escape(tensor.description or tensor.name)
    hint = "Draw here, or drop or paste an image" if tensor.sketch else "Drop or paste an image here, or choose one"
    then = f" Then paint over the part to fill in: {html.escape(mask.description or mask.name)}" if mask else ""
    masked = " gs-masked" if mask else ""
    tools = _tools(mask is not None) if mask or tensor.sketch else ""
    buttons = "".join(
        f'<button type="button" aria-label="Example {number}"><img alt="" loading="lazy" src="{html.escape(address)}" '
        f'data-example="{html.escape(address.split("/")[-1])}"></button>'
        for number, address in enumerate(examples, 1)
    )
    return (
        f'<div role="group" aria-label="{name}"><h3>{name}</h3><div class="gs-sheet gs-empty{masked}">'
        f'<canvas aria-hidden="true"></canvas><canvas role="img" aria-label="Canvas for {name}"></canvas>'
        f"<p>{hint}.{then}</p></div><div class='gs-tools'><label class='gs-button'>Choose an image"
        f'<input type="file" accept="image/*" aria-label="Choose an image for {name}"></label>{tools}'
        '<button type="button" data-do="clear">Clear</button></div><p role="alert"></p>'
        + (f'<div class="gs-examples"><small>Try one of these</small>{buttons}</div>' if buttons else "")
        + "</div>"
    )


def _tools(fills: bool) -> str:
    middle = '<button type="button" data-do="middle">Mask the middle</button>' if fills else ""
    width = 12 if fills else 2
    return (
        f'<label>Brush <input type="range" name="brush" min="1" max="30" value="{width}" '
        'aria-label="Brush width"></label>'
        '<button type="button" data-do="erase" aria-pressed="false">Erase</button>'
        f'<button type="button" data-do="undo">Undo</button>{middle}'
    )
