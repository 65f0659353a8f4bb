"""The same seed through several models, side by side."""

import html
from typing import Any

import gradio as gr

from gan_serve.demo.address import Address, make_query
from gan_serve.demo.figures import show_result
from gan_serve.demo.parts import AT_ONCE, make_bar, make_dice, make_html, make_number
from gan_serve.demo.studio import Studio
from gan_serve.demo.words import showing
from gan_serve.metadata import ModelMetadata

_EACH = 8  # pictures of a model, where nobody says how many
_MOST = 16
_FIRST = 4  # models that are compared, where nobody says which


def can_compare(metadata: ModelMetadata) -> bool:
    """Whether a model draws from a seed alone."""
    return metadata.draws and not metadata.image_inputs and bool(metadata.image_outputs)


def make_comparing(studio: Studio, page: gr.Request, tab: gr.Tab, address: Address) -> None:
    """The panel; inside a column."""
    names = [metadata.name for metadata in studio.models if can_compare(metadata)]
    asked = len(address.models) > 1
    chosen = [name for name in (address.models if asked else names[:_FIRST]) if name in names]
    count = min(address.count, _MOST) if asked else _EACH
    models = gr.CheckboxGroup(names, value=chosen, label="Models", info="They all get the same seed.", interactive=True)
    with gr.Row():
        seed = make_number(address.seed, "Seed")
        count_slider = gr.Slider(1, _MOST, value=count, step=1, label="Pictures of each", interactive=True)
        make_dice(seed)

    def compare(page: gr.Request, names: list[str], seed: Any, count: int) -> tuple[str, str]:
        seeds = [int(seed or 0)]
        rows = "".join(_row(studio, page, name, seeds[0], int(count)) for name in names)
        return rows or '<p class="gs-empty">Choose some models.</p>', make_query(names, {}, seeds, count=int(count))

    handler = showing(compare, 2)
    first = handler(page, chosen, address.seed, count) if asked else ("", "")
    shown, bar = make_html(first[0], elem_id="gs-compared"), make_bar(first[1])
    inputs = [models, seed, count_slider]
    gr.on([tab.select, models.input, seed.change, count_slider.input], handler, inputs, [shown, bar], **AT_ONCE)


def _row(studio: Studio, page: gr.Request, model: str, seed: int, count: int) -> str:
    asked = studio.request(model, {"seed": seed, "count": count})
    pictures = studio.run(page, model, asked, lambda result, _: show_result(result, strip=True))
    name = html.escape(model)
    return f'<section aria-label="{name}"><h3><a href="?model={name}&seed={seed}">{name}</a></h3>{pictures}</section>'
