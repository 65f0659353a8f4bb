"""Snippets: commands and code that reproduce an image without the demo, for users to copy."""

import html
import json
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, LatentMixing
from gan_serve.media import medium_of
from gan_serve.metadata import ModelMetadata
from gan_serve.provenance import item_request
from gan_serve.request import Request, Value
from gan_serve.sampling import complete
from gan_serve.seeds import checked_integer

_ABOUT = "Make it again"
_SHARED = "Everyone who opens its address sees the same."

Snippet = tuple[str, str]  # a title, and the code
FormatOptions = dict[str, str | bool | int]  # options of the output, by name


def snippets_of(metadata: ModelMetadata, request: Request, origin: str, scale: int = 1) -> list[Snippet]:
    """Return a request as snippets for the command line, Python, and the server at `origin`.

    A walk becomes an animation, several other images a grid, and one image a plain file.
    """
    rows = {name: [row[name] for row in request.inputs] for name in request.inputs[0]}
    inputs = {name: _joined(metadata, name, values) for name, values in rows.items()}
    images = {name for name, values in rows.items() if isinstance(values[0], ImageRef)}
    numbers = {"index": request.index} if request.index else {}
    numbers |= {"count": request.count} if request.count > 1 else {}
    numbers |= {"seed": request.seed} if metadata.is_random else {}
    values = {**inputs, **numbers, **_second_seed(request.mixing)}
    several: FormatOptions = {"format": "gif"} if isinstance(request.mixing, Interpolation) else {"grid": True}
    options = several if len(request) > 1 else {}
    options |= {"scale": scale} if scale > 1 else {}
    return [
        ("Command line", _command(metadata, values, options)),
        ("Python", _python(metadata, values, options)),
        ("curl", _curl(metadata, values, options, images, origin)),
    ]


def show_choice(metadata: ModelMetadata, request: Request, place: int, origin: str) -> str:
    """Return snippets for the image at a place of the request, as HTML."""
    place = checked_integer("image", place, 0, len(request) - 1)
    item = complete(metadata.inputs, request.seed, request.item(place))
    snippets = snippets_of(metadata, item_request(request.seed, item), origin)
    return show_snippets(snippets, f"{_ABOUT}: {metadata.name}, image {place + 1} alone")


def show_snippets(snippets: Sequence[Snippet], about: str = _ABOUT, shared: str = _SHARED) -> str:
    """Return snippets and the page's address as HTML, each with a button that copies it."""
    blocks = "".join(
        f'<div class="gs-snippet"><div><b>{name}</b><button type="button" data-copy '
        f'aria-label="Copy: {name}">Copy</button></div><pre tabindex="0"><code>{html.escape(text)}</code></pre></div>'
        for name, text in snippets
    )
    return (
        f'<details class="gs-snippets" open><summary>{html.escape(about)}</summary>{blocks}<div class="gs-snippet">'
        "<div><b>This page</b><button type='button' data-copy-page aria-label='Copy: the address of this page'>Copy"
        f"</button></div><small>{shared}</small></div></details>"
    )


def _second_seed(mixing: LatentMixing | None) -> dict[str, object]:
    if mixing is None:
        return {}
    fields = (
        {"walk_to": mixing.seed, "steps": mixing.steps, "step": mixing.step}
        if isinstance(mixing, Interpolation)
        else {"mix_with": mixing.seed, "mix": ",".join(mixing.latents), "mix_index": mixing.index}
    )
    return {name: value for name, value in fields.items() if value is not None}


def _command(metadata: ModelMetadata, values: Mapping[str, object], options: FormatOptions) -> str:
    arguments = [f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in values.items()]
    arguments += [f"--{name}" if value is True else f"--{name} {value}" for name, value in options.items()]
    return " ".join([f"gan-serve generate --model {metadata.name}", *arguments])


def _python(metadata: ModelMetadata, values: Mapping[str, object], options: FormatOptions) -> str:
    arguments = ", ".join(f"{name}={_literal(value)}" for name, value in values.items())
    call = f'gan_serve.load("{metadata.name}").generate({arguments})'
    if not metadata.drawn_outputs:
        return f"import gan_serve\n\nprint({call}.answers())"
    extra = "".join(f", {name}={value}" for name, value in options.items() if name != "format")
    numbers = "\nprint(result.answers())" if metadata.numeric_outputs else ""
    return f'import gan_serve\n\nresult = {call}\nresult.save("{_file(metadata, options)}"{extra}){numbers}'


def _curl(
    metadata: ModelMetadata, values: Mapping[str, object], options: FormatOptions, images: set[str], origin: str
) -> str:
    fields = {name: "true" if value is True else value for name, value in {**values, **options}.items()}
    output = f" -o {_file(metadata, options)}" if metadata.drawn_outputs else ""
    address = f"{origin}/v1/models/{metadata.name}/generate"
    if not images:
        query = urlencode(fields, safe=",")
        return f"curl{output} {shlex.quote(f'{address}?{query}')}"
    parts = [f"{name}={'@' if name in images else ''}{value}" for name, value in fields.items()]
    return f"curl{output} {address}" + "".join(f" -F {shlex.quote(part)}" for part in parts)


def _file(metadata: ModelMetadata, options: FormatOptions) -> str:
    usual = "png" if "grid" in options else medium_of(metadata).default
    return f"{metadata.name}.{options.get('format', usual)}"


def _joined(metadata: ModelMetadata, name: str, values: Sequence[Value]) -> str:
    """Return one value, or a list of them, as text."""
    tensor, several = metadata.choices[name], list(dict.fromkeys(values))
    return tensor.text_of(several[0]) if len(several) == 1 else tensor.list_of(several)


def _literal(value: object) -> str:
    """Return a Python literal: numbers, also those in text, without quotes, and other text with quotes."""
    try:
        float(str(value))
    except ValueError:
        return json.dumps(value)
    return str(value)
