"""How to make an image again without the demo, for people to copy."""

import html
import json
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from gan_serve.demo.permalink import as_text
from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, LatentMixing
from gan_serve.metadata import ModelMetadata
from gan_serve.provenance import item_request
from gan_serve.request import Request, Value
from gan_serve.sampling import complete
from gan_serve.seeds import checked_integer

_ABOUT = "Make it again"
_SHARED = "Its address shows the same to whoever opens it."

Recipe = tuple[str, str]  # where it is to be typed, and what
FormatOptions = dict[str, str | bool | int]  # options that say how the answer looks


def recipes_of(metadata: ModelMetadata, asked: Request, origin: str, scale: int = 1) -> list[Recipe]:
    """The same request for the command line, Python, and the server at `origin`.

    A walk becomes an animation, other images that are several a grid, and one that stands alone an image.
    """
    rows = {name: [row[name] for row in asked.inputs] for name in asked.inputs[0]}
    inputs = {name: _joined(metadata, name, values) for name, values in rows.items()}
    images = {name for name, values in rows.items() if isinstance(values[0], ImageRef)}
    numbers = {"index": asked.index} if asked.index else {}
    numbers |= {"count": asked.count} if asked.count > 1 else {}
    numbers |= {"seed": asked.seed} if metadata.is_random else {}
    values = {**inputs, **numbers, **_second(asked.mixing)}
    several: FormatOptions = {"format": "gif"} if isinstance(asked.mixing, Interpolation) else {"grid": True}
    form = several if len(asked) > 1 else {}
    form |= {"scale": scale} if scale > 1 else {}
    return [
        ("Command line", _command(metadata, values, form)),
        ("Python", _python(metadata, values, form)),
        ("curl", _curl(metadata, values, form, images, origin)),
    ]


def show_choice(metadata: ModelMetadata, asked: Request, place: int, origin: str) -> str:
    """The recipes of one image alone, chosen by its place among all that were asked for."""
    place = checked_integer("image", place, 0, len(asked) - 1)
    item = complete(metadata.inputs, asked.seed, asked.item(place))
    recipes = recipes_of(metadata, item_request(asked.seed, item), origin)
    return show_recipes(recipes, f"{_ABOUT}: {metadata.name}, image {place + 1} alone")


def show_recipes(recipes: Sequence[Recipe], about: str = _ABOUT, shared: str = _SHARED) -> str:
    """The recipes as HTML, each with a button that copies it; and what the address of the page is good for."""
    blocks = "".join(
        f'<div class="gs-recipe"><div><b>{name}</b><button type="button" data-copy '
        f'aria-label="Copy: {name}">Copy</button></div><pre tabindex="0"><code>{html.escape(text)}</code></pre></div>'
        for name, text in recipes
    )
    return (
        f'<details class="gs-recipes" open><summary>{html.escape(about)}</summary>{blocks}<div class="gs-recipe"><div>'
        "<b>This page</b><button type='button' data-copy-page aria-label='Copy: the address of this page'>Copy"
        f"</button></div><small>{shared}</small></div></details>"
    )


def _second(blend: LatentMixing | None) -> dict[str, object]:
    if blend is None:
        return {}
    given = (
        {"walk_to": blend.seed, "steps": blend.steps, "step": blend.step}
        if isinstance(blend, Interpolation)
        else {"mix_with": blend.seed, "mix": ",".join(blend.latents), "mix_index": blend.index}
    )
    return {name: value for name, value in given.items() if value is not None}


def _command(metadata: ModelMetadata, values: Mapping[str, object], form: FormatOptions) -> str:
    words = [f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in values.items()]
    words += [f"--{name}" if value is True else f"--{name} {value}" for name, value in form.items()]
    return " ".join([f"gan-serve generate --model {metadata.name}", *words])


def _python(metadata: ModelMetadata, values: Mapping[str, object], form: FormatOptions) -> str:
    given = ", ".join(f"{name}={_literal(value)}" for name, value in values.items())
    call = f'gan_serve.load("{metadata.name}").generate({given})'
    if not metadata.image_outputs:
        return f"import gan_serve\n\nprint({call}.answers())"
    how = "".join(f", {name}={value}" for name, value in form.items() if name != "format")
    return f'import gan_serve\n\nresult = {call}\nresult.save("{_file(metadata, form)}"{how})'


def _curl(
    metadata: ModelMetadata, values: Mapping[str, object], form: FormatOptions, images: set[str], origin: str
) -> str:
    fields = {name: "true" if value is True else value for name, value in {**values, **form}.items()}
    output = f" -o {_file(metadata, form)}" if metadata.image_outputs else ""
    address = f"{origin}/v1/models/{metadata.name}/generate"
    if not images:
        query = urlencode(fields, safe=",")
        return f"curl{output} {shlex.quote(f'{address}?{query}')}"
    parts = [f"{name}={'@' if name in images else ''}{value}" for name, value in fields.items()]
    return f"curl{output} {address}" + "".join(f" -F {shlex.quote(part)}" for part in parts)


def _file(metadata: ModelMetadata, form: FormatOptions) -> str:
    return f"{metadata.name}.{form.get('format', 'png')}"


def _joined(metadata: ModelMetadata, name: str, values: Sequence[Value]) -> str:
    """One value, or a list of them; of classes by their numbers, since a name may hold a comma."""
    several = list(dict.fromkeys(values))
    if len(several) == 1:
        return as_text(metadata, name, several[0])
    return ",".join(str(value) if isinstance(value, int) else as_text(metadata, name, value) for value in several)


def _literal(value: object) -> str:
    """A number as it is, also where it stands in a text; and everything else in quotes."""
    try:
        float(str(value))
    except ValueError:
        return json.dumps(value)
    return str(value)
