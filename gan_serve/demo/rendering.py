"""What each kind of output looks like on the page. The images are the files that the command line writes."""

import html
import io
from base64 import b64encode
from collections.abc import Sequence

from gan_serve.demo.permalink import as_text
from gan_serve.images.pixels import PilImage
from gan_serve.latent_mixing import StyleMix
from gan_serve.metadata import ModelMetadata
from gan_serve.numeric_outputs import NumericOutputs
from gan_serve.request import Inputs, Item
from gan_serve.result import Result, grid_columns
from gan_serve.tensors import OutputTensor, Probabilities, Scalar, ScoreOutput

_CRISP = 160  # pixels a side of images whose pixels are to be seen; larger ones are shown smooth


def data_url(content: bytes, kind: str = "image/png") -> str:
    """A file in an address, so that images and all that is said of them come in one answer."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def show_result(result: Result, *, strip: bool = False) -> str:
    """Every image of a result, each of which can be chosen; or what it says in numbers."""
    if not result.metadata.image_outputs:
        return "".join(show_answer(result.metadata.outputs, answer) for answer in result.answers())
    cells = "".join(_cell(result, place, *file) for place, file in enumerate(result.encode_each("png")))
    crisp, blend = _crisp(max(result.images()[0].size)), result.request.mixing
    layout = " gs-square" if isinstance(blend, StyleMix) else " gs-strip" if strip else ""
    return (
        f'<div class="gs-images{crisp}{layout}" style="--gs-many:{grid_columns(result.request)}" '
        f'data-model="{result.metadata.name}">{cells}</div>'
    )


def show_animation(content: bytes, side: int) -> str:
    """A GIF of images that have so many pixels a side."""
    address = data_url(content, "image/gif")
    return f'<p class="gs-moving{_crisp(side)}"><img alt="One image after another" src="{address}"></p>'


def show_before_after(before: PilImage, after: bytes, name: str) -> str:
    """Two images of one thing, with a slider between them that the keyboard moves, too."""
    crisp = _crisp(max(before.size))
    move = "this.closest('.gs-pair').style.setProperty('--gs-at', this.value + '%')"
    return (
        f'<div class="gs-pair{crisp}" style="--gs-at:50%"><div><img alt="After" src="{data_url(after)}">'
        f'<img alt="Before" src="{data_url(encode_png(before))}"></div><label><span>Before</span>'
        f'<input type="range" min="0" max="100" value="50" aria-label="Before and after" oninput="{move}">'
        f'<span>After</span></label><a href="{data_url(after)}" download="{html.escape(name)}">Save the image</a>'
        "</div>"
    )


def show_answer(tensors: Sequence[OutputTensor], answer: NumericOutputs) -> str:
    """Numbers with bars: every class with its share, every score within its range."""
    rows = []
    for tensor in tensors:
        told = answer[tensor.name]
        if isinstance(tensor, Probabilities) and isinstance(told, dict):
            shares = sorted(told.items(), key=lambda share: -share[1])
            rows += [_bar(name, "", share, (0, 1), f"{share:.1%}") for name, share in shares]
        elif isinstance(tensor, ScoreOutput) and isinstance(told, float):
            rows.append(_bar(tensor.name, tensor.description, told, (tensor.low, tensor.high), f"{told:.4g}"))
    return f'<table class="gs-bars"><tbody>{"".join(rows)}</tbody></table>'


def encode_png(image: PilImage) -> bytes:
    """A file that says nothing of its making, for images that a visitor gave."""
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
    """What sets an image apart: inputs that were drawn for it, or that differ from row to row."""
    request = result.request
    same = {name for name in request.inputs[0] if len({row[name] for row in request.inputs}) == 1}
    return _told(result.metadata, result.items[place], same)


def _told(metadata: ModelMetadata, item: Item, same: set[str]) -> str:
    usual = {each.name for each in metadata.scalars if each.default == item.inputs[each.name]}
    return ", ".join(_value(metadata, item.inputs, name) for name in item.inputs if name not in same | usual)


def _value(metadata: ModelMetadata, inputs: Inputs, name: str) -> str:
    scalars = {tensor.name for tensor in metadata.inputs if isinstance(tensor, Scalar)}
    return f"{inputs[name]:.2g}" if name in scalars else as_text(metadata, name, inputs[name])


def _crisp(side: int) -> str:
    return " gs-crisp" if side <= _CRISP else ""


def _bar(name: str, about: str, value: float, ends: tuple[float, float], told: str) -> str:
    low, high = ends
    return (
        f'<tr><th scope="row">{html.escape(name)}<small>{html.escape(about)}</small></th><td><meter min="{low:g}" '
        f'max="{high:g}" value="{value:g}" aria-label="{html.escape(name)}"></meter></td><td>{told}</td></tr>'
    )
