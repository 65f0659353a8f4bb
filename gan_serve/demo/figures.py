"""What each kind of output looks like on the page. The pictures are the files that the command line writes."""

import html
import io
from base64 import b64encode
from collections.abc import Sequence

from gan_serve.answers import Answer
from gan_serve.demo.address import as_text
from gan_serve.metadata import ModelMetadata
from gan_serve.pixels import Picture
from gan_serve.request import Inputs, Item
from gan_serve.result import Result
from gan_serve.tensors import OutputTensor, Probabilities, Scalar, Score

_CRISP = 160  # pixels a side of pictures whose pixels are to be seen; larger ones are shown smooth
_FRAME = 90  # milliseconds of a picture in an animation
_LEAST = 224  # pixels a side of an animation


def data_url(content: bytes, kind: str = "image/png") -> str:
    """A file in an address, so that pictures and all that is said of them come in one answer."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def show_result(result: Result, *, strip: bool = False) -> str:
    """Every picture of a result, to be chosen; or what it says in numbers."""
    if not result.metadata.image_outputs:
        return "".join(show_answer(result.metadata.outputs, answer) for answer in result.answers())
    captions = [_caption(result, place) for place in range(len(result))]
    cells = "".join(
        f'<figure><button type="button" data-place="{place}" aria-pressed="false" title="{html.escape(name)}" '
        f'aria-label="{_numbered(place, len(result), caption)}"><img alt="" src="{data_url(content)}"></button>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for place, ((name, content), caption) in enumerate(zip(result.encode_each("png"), captions, strict=True))
    )
    return _sheet(cells, len(result), max(result.images()[0].size), strip)


def show_pictures(pictures: Sequence[Picture], columns: int | None = None) -> str:
    """Pictures that no request holds: a square of so many columns, or a strip."""
    cells = "".join(
        f'<figure><img alt="{_numbered(place, len(pictures), "")}" src="{data_url(encode_png(picture))}"></figure>'
        for place, picture in enumerate(pictures)
    )
    return _sheet(cells, columns or len(pictures), max(pictures[0].size), strip=columns is None)


def show_animation(pictures: Sequence[Picture]) -> str:
    """Pictures one after the other, there and back."""
    address = data_url(encode_gif(pictures), "image/gif")
    crisp = _crisp(max(pictures[0].size))
    return f'<p class="gs-moving{crisp}"><img alt="One picture after another, there and back" src="{address}"></p>'


def show_before_after(before: Picture, after: bytes, name: str) -> str:
    """Two pictures of one thing, with a slider between them that the keyboard moves, too."""
    crisp = _crisp(max(before.size))
    move = "this.closest('.gs-pair').style.setProperty('--gs-at', this.value + '%')"
    return (
        f'<div class="gs-pair{crisp}" style="--gs-at:50%"><div><img alt="After" src="{data_url(after)}">'
        f'<img alt="Before" src="{data_url(encode_png(before))}"></div><label><span>Before</span>'
        f'<input type="range" min="0" max="100" value="50" aria-label="Before and after" oninput="{move}">'
        f'<span>After</span></label><a href="{data_url(after)}" download="{html.escape(name)}">Save the picture</a>'
        "</div>"
    )


def show_answer(tensors: Sequence[OutputTensor], answer: Answer) -> str:
    """Numbers with bars: every class with its share, every score within its range."""
    rows = []
    for tensor in tensors:
        told = answer[tensor.name]
        if isinstance(tensor, Probabilities) and isinstance(told, dict):
            shares = sorted(told.items(), key=lambda share: -share[1])
            rows += [_bar(name, "", share, (0, 1), f"{share:.1%}") for name, share in shares]
        elif isinstance(tensor, Score) and isinstance(told, float):
            rows.append(_bar(tensor.name, tensor.description, told, (tensor.low, tensor.high), f"{told:.4g}"))
    return f'<table class="gs-bars"><tbody>{"".join(rows)}</tbody></table>'


def encode_png(picture: Picture) -> bytes:
    """A file that says nothing of its making, for pictures that no request holds."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_gif(pictures: Sequence[Picture]) -> bytes:
    """An animation for ever, there and back; small pictures are enlarged by a whole factor."""
    factor = max(1, -(-_LEAST // max(pictures[0].size)))
    width, height = (side * factor for side in pictures[0].size)
    frames = [picture.resize((width, height), 0) for picture in [*pictures, *reversed(pictures[1:-1])]]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=_FRAME, loop=0)
    return buffer.getvalue()


def _caption(result: Result, place: int) -> str:
    """What sets a picture apart: inputs that were drawn for it, or that differ from row to row."""
    request = result.request
    chosen = request.inputs[place // request.count]
    same = {name for name in chosen if len({row[name] for row in request.inputs}) == 1}
    return _told(result.metadata, result.items[place], same)


def _told(metadata: ModelMetadata, item: Item, same: set[str]) -> str:
    usual = {each.name for each in metadata.scalars if each.default == item.inputs[each.name]}
    return ", ".join(_value(metadata, item.inputs, name) for name in item.inputs if name not in same | usual)


def _value(metadata: ModelMetadata, inputs: Inputs, name: str) -> str:
    scalars = {tensor.name for tensor in metadata.inputs if isinstance(tensor, Scalar)}
    return f"{inputs[name]:.2g}" if name in scalars else as_text(metadata, name, inputs[name])


def _numbered(place: int, many: int, caption: str) -> str:
    return html.escape(f"Picture {place + 1} of {many}" + (f": {caption}" if caption else ""))


def _sheet(cells: str, columns: int, side: int, strip: bool) -> str:
    return f'<div class="gs-pictures{_crisp(side)}{" gs-strip" * strip}" style="--gs-many:{columns}">{cells}</div>'


def _crisp(side: int) -> str:
    return " gs-crisp" if side <= _CRISP else ""


def _bar(name: str, about: str, value: float, ends: tuple[float, float], told: str) -> str:
    low, high = ends
    return (
        f'<tr><th scope="row">{html.escape(name)}<small>{html.escape(about)}</small></th><td><meter min="{low:g}" '
        f'max="{high:g}" value="{value:g}" aria-label="{html.escape(name)}"></meter></td><td>{told}</td></tr>'
    )
