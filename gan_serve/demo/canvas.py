"""The canvas: a component for an input image (dropped, pasted, chosen or drawn), and what is painted over it."""

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
DRAWN = ("drawing.png", "mask.png", "painting.png")  # names of the files that visitors draw
_COLOUR = "#d6336c"  # of the brush at first
_BASE64 = 4 / 3  # characters per byte


def make_canvas(tensor: Image, over: Image | Mask | None, examples: Sequence[str], most: int) -> gr.HTML:
    """Return a canvas for the image `tensor`, with a brush if it may be drawn or something is painted over it.

    `over` is what the brush makes: a mask, or the same image painted over in colours. `examples` are addresses of
    example images; `most` is the maximum number of bytes in a request.
    """
    return gr.HTML(
        value={},
        html_template=_template(tensor, over, examples),
        js_on_load=_SCRIPT,
        apply_default_css=False,
        elem_classes="gs-canvas",
        sketch=tensor.sketch,
        mask=isinstance(over, Mask),
        paint=isinstance(over, Image),
        width=tensor.width or _SIDE,
        height=tensor.height or _SIDE,
        most=_most(over, int(most / _BASE64)),
    )


def _most(over: Image | Mask | None, most: int) -> int:
    """Return the maximum number of bytes of the image file, with room for what is painted over it."""
    match over:
        case Image():
            return most // 2
        case Mask():
            return most - 2**16
        case None:
            return most - 2**12


def read_canvas(value: Any, tensor: Image, over: Image | Mask | None) -> Fields:
    """Return the fields of a request from a canvas's value.

    Raises:
        ApiError: the value is malformed.
    """
    content = value if isinstance(value, dict) else {}
    fields: Fields = {}
    if content.get("image"):
        fields[tensor.name] = [(safe_name(str(content.get("name", ""))), decode_base64(tensor, content["image"]))]
    if over and content.get("over"):
        name = DRAWN[1] if isinstance(over, Mask) else DRAWN[2]
        fields[over.name] = [(name, decode_base64(over, content["over"]))]
    return fields


def _template(tensor: Image, over: Image | Mask | None, examples: Sequence[str]) -> str:
    name = html.escape(tensor.description or tensor.name)
    hint = "Draw here, or drop or paste an image" if tensor.sketch else "Drop or paste an image here, or choose one"
    about = html.escape(over.description or over.name) if over else ""
    then = f" Then paint over {'the part to fill in' if isinstance(over, Mask) else 'it'}: {about}" if over else ""
    masked = " gs-masked" if isinstance(over, Mask) else ""
    tools = _tools(over) if over or tensor.sketch else ""
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


def _tools(over: Image | Mask | None) -> str:
    middle = '<button type="button" data-do="middle">Mask the middle</button>' if isinstance(over, Mask) else ""
    colour = f'<label>Colour <input type="color" name="colour" value="{_COLOUR}"></label>'
    colours = colour if isinstance(over, Image) else ""
    width = 12 if over else 2
    return (
        f'{colours}<label>Brush <input type="range" name="brush" min="1" max="30" value="{width}" '
        'aria-label="Brush width"></label>'
        '<button type="button" data-do="erase" aria-pressed="false">Erase</button>'
        f'<button type="button" data-do="undo">Undo</button>{middle}'
    )
