"""Renders outputs as HTML. The images are byte for byte the files that the command line writes."""

import html
import io
from base64 import b64encode
from collections.abc import Sequence

from gan_serve.images.pixels import PilImage
from gan_serve.latent_mixing import StyleMix
from gan_serve.metadata import ModelMetadata
from gan_serve.numeric_outputs import NumericOutputs
from gan_serve.request import Item
from gan_serve.result import Result, grid_columns
from gan_serve.tensors import OutputTensor, Probabilities, ScoreOutput, Written

_CRISP = 160  # pixels per side up to which images are enlarged without smoothing


def data_url(content: bytes, kind: str = "image/png") -> str:
    """Return a file as a data URL, so that one response holds the images and their captions."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def show_result(result: Result, *, strip: bool = False) -> str:
    """Return all images of a result as buttons, or its numbers as bars."""
    if not result.metadata.image_outputs:
        return "".join(show_answer(result.metadata.outputs, answer) for answer in result.answers())
    cells = "".join(_cell(result, place, *file) for place, file in enumerate(result.encode_each("png")))
    crisp, mixing = _crisp(max(result.images()[0].size)), result.request.mixing
    layout = " gs-square" if isinstance(mixing, StyleMix) else " gs-strip" if strip else ""
    return (
        f'<div class="gs-images{crisp}{layout}" style="--gs-columns:{grid_columns(result.request)}" '
        f'data-model="{result.metadata.name}">{cells}</div>'
    )


def show_animation(content: bytes, side: int) -> str:
    """Return a GIF whose frames have `side` pixels per side."""
    address = data_url(content, "image/gif")
    return f'<p class="gs-moving{_crisp(side)}"><img alt="One image after another" src="{address}"></p>'


def show_before_after(before: PilImage, after: bytes, name: str) -> str:
    """Return two images with a slider between them, which works by keyboard, too."""
    crisp = _crisp(max(before.size))
    move = "this.closest('.gs-pair').style.setProperty('--gs-split', this.value + '%')"
    return (
        f'<div class="gs-pair{crisp}" style="--gs-split:50%"><div><img alt="After" src="{data_url(after)}">'
        f'<img alt="Before" src="{data_url(encode_png(before))}"></div><label><span>Before</span>'
        f'<input type="range" min="0" max="100" value="50" aria-label="Before and after" oninput="{move}">'
        f'<span>After</span></label><a href="{data_url(after)}" download="{html.escape(name)}">Save the image</a>'
        "</div>"
    )


def show_answer(tensors: Sequence[OutputTensor], answer: NumericOutputs) -> str:
    """Return numbers as bars: the probability of every class, and every score within its range."""
    rows = []
    for tensor in tensors:
        value = answer[tensor.name]
        if isinstance(tensor, Probabilities) and isinstance(value, dict):
            ranking = sorted(value.items(), key=lambda pair: -pair[1])
            rows += [_bar(name, "", probability, (0, 1), f"{probability:.1%}") for name, probability in ranking]
        elif isinstance(tensor, ScoreOutput) and isinstance(value, float):
            rows.append(_bar(tensor.name, tensor.description, value, (tensor.low, tensor.high), f"{value:.4g}"))
    return f'<table class="gs-bars"><tbody>{"".join(rows)}</tbody></table>'


def encode_png(image: PilImage) -> bytes:
    """Encode an image without provenance, for images from visitors."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _cell(result: Result, place: int, name: str, content: bytes) -> str:
    caption = _caption(result, place)
    about = html.escape(f"Image {place + 1} of {len(result)}" + (f": {caption}" if caption else ""))
    return (
        f'<figure><button type="button" data-place="{place}" aria-pressed="false" title="{html.escape(name)}" '
        f'aria-label="{about}"><img alt="" src="{data_url(content)}"></button>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _caption(result: Result, place: int) -> str:
    """Return the inputs that distinguish an image: those that are random or differ between images."""
    request = result.request
    same = {name for name in request.inputs[0] if len({row[name] for row in request.inputs}) == 1}
    return _describe(result.metadata, result.items[place], same)


def _describe(metadata: ModelMetadata, item: Item, same: set[str]) -> str:
    told = {name: value for name, value in item.inputs.items() if name not in same}
    tensors = [tensor for tensor in metadata.choices.values() if isinstance(tensor, Written) and tensor.name in told]
    return ", ".join(each.caption_of(told[each.name]) for each in tensors if told[each.name] != each.fixed)


def _crisp(side: int) -> str:
    return " gs-crisp" if side <= _CRISP else ""


def _bar(name: str, about: str, value: float, ends: tuple[float, float], text: str) -> str:
    low, high = ends
    return (
        f'<tr><th scope="row">{html.escape(name)}<small>{html.escape(about)}</small></th><td><meter min="{low:g}" '
        f'max="{high:g}" value="{value:g}" aria-label="{html.escape(name)}"></meter></td><td>{text}</td></tr>'
    )
