"""Renders outputs as HTML. The images are byte for byte the files that the command line writes."""

import html
import io
from base64 import b64encode
from collections.abc import Sequence

from gan_serve.images.pixels import PilImage
from gan_serve.latent_mixing import StyleMix
from gan_serve.metadata import ModelMetadata
from gan_serve.naming import item_stem
from gan_serve.numeric_outputs import NumericOutputs, summarize
from gan_serve.outputs.panels import Panel, panels_of
from gan_serve.request import Item
from gan_serve.result import Result, grid_columns
from gan_serve.tensors import Bar, Numeric, Written

_CRISP = 160  # pixels per side up to which images are enlarged without smoothing


def data_url(content: bytes, kind: str = "image/png") -> str:
    """Return a file as a data URL, so that one response holds the images and their captions."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def show_result(result: Result, *, strip: bool = False) -> str:
    """Return all images of a result as buttons, with their numbers below, or its numbers alone as bars."""
    if not result.metadata.drawn_outputs:
        return show_numbers(result)
    columns = [_elements(result, panel) for panel in panels_of(result.metadata)]
    cells = "".join(_cell(result, place, *row) for place, row in enumerate(zip(*columns, strict=True)))
    crisp, mixing = _crisp(max(result.images()[0].size)), result.request.mixing
    layout = " gs-square" if isinstance(mixing, StyleMix) else " gs-strip" if strip else ""
    return (
        f'<div class="gs-images{crisp}{layout}" style="--gs-columns:{grid_columns(result.request)}" '
        f'data-model="{result.metadata.name}">{cells}</div>'
    )


def show_others(result: Result) -> str:
    """Return the images of the first item that are not part of its first one, with their names below."""
    _, *others = panels_of(result.metadata)
    if not others:
        return ""
    crisp = _crisp(max(result.images()[0].size))
    figures = "".join(
        f"<figure>{_elements(result, panel)[0]}<figcaption>{panel.name}</figcaption></figure>" for panel in others
    )
    return f'<div class="gs-others{crisp}">{figures}</div>'


def show_numbers(result: Result) -> str:
    """Return a table for each item: the probability of every class, and every score, as a bar within its range."""
    return "".join(_table(result.metadata.numeric_outputs, answer) for answer in result.answers())


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


def encode_png(image: PilImage) -> bytes:
    """Encode an image without provenance, for images from visitors."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _elements(result: Result, panel: Panel) -> list[str]:
    """Return an HTML element for each image of a panel."""
    shown = panel.medium.find(panel.medium.shown)
    contents = result.drawing(panel.name).encode_each(shown.name, 1)
    about = f'alt="{panel.name}" title="{panel.name}"' if panel.name else 'alt=""'  # a button describes the first one
    return [f'<img {about} src="{data_url(each, shown.media_type)}">' for each in contents]


def _cell(result: Result, place: int, image: str, *others: str) -> str:
    name = f"{item_stem(result.metadata, result.seed, result.items[place])}.png"
    caption = _caption(result, place)
    about = html.escape(f"Image {place + 1} of {len(result)}" + (f": {caption}" if caption else ""))
    return (
        f'<figure><button type="button" data-place="{place}" aria-pressed="false" title="{html.escape(name)}" '
        f'aria-label="{about}">{image}</button>{"".join(others)}'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _caption(result: Result, place: int) -> str:
    """Return the inputs that distinguish an image, which are random or differ between images, and its numbers."""
    request = result.request
    same = {name for name in request.inputs[0] if len({row[name] for row in request.inputs}) == 1}
    told = _describe(result.metadata, result.items[place], same)
    numbers = summarize(result.metadata.numeric_outputs, result.answers()[place])
    return ", ".join(each for each in (told, numbers) if each)


def _describe(metadata: ModelMetadata, item: Item, same: set[str]) -> str:
    told = {name: value for name, value in item.inputs.items() if name not in same}
    tensors = [tensor for tensor in metadata.choices.values() if isinstance(tensor, Written) and tensor.name in told]
    return ", ".join(each.caption_of(told[each.name]) for each in tensors if told[each.name] != each.fixed)


def _crisp(side: int) -> str:
    return " gs-crisp" if side <= _CRISP else ""


def _table(outputs: Sequence[Numeric], answer: NumericOutputs) -> str:
    rows = "".join(_bar(bar) for output in outputs for bar in output.bars(answer))
    return f'<table class="gs-bars"><tbody>{rows}</tbody></table>'


def _bar(bar: Bar) -> str:
    name = html.escape(bar.name)
    return (
        f'<tr><th scope="row">{name}<small>{html.escape(bar.about)}</small></th><td><meter min="{bar.low:g}" '
        f'max="{bar.high:g}" value="{bar.value:g}" aria-label="{name}"></meter></td><td>{bar.text}</td></tr>'
    )
