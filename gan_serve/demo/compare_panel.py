"""The same seed through several models, side by side."""

import html
from typing import Any

import gradio as gr

from gan_serve.demo.client import DemoClient
from gan_serve.demo.components import connect, make_bar, make_dice, make_html, make_images, make_number
from gan_serve.demo.errors import as_html_error
from gan_serve.demo.modes import origin_of
from gan_serve.demo.permalink import Address, checked_seed, make_query
from gan_serve.demo.rendering import show_result
from gan_serve.demo.snippets import show_choice
from gan_serve.errors import UsageError
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request
from gan_serve.seeds import checked_integer

_EACH = 8  # images of a model, where nobody says how many
_MOST = 16
_FIRST = 4  # models that are compared, where nobody says which
_UNCHOSEN = '<p class="gs-empty">Choose an image to see how to make it again.</p>'


def can_compare(metadata: ModelMetadata) -> bool:
    """Whether a model draws from a seed alone."""
    return metadata.is_random and not metadata.image_inputs and bool(metadata.image_outputs)


def make_comparing(studio: DemoClient, page: gr.Request, tab: gr.Tab, address: Address) -> None:
    """The panel; inside a column."""
    names = [metadata.name for metadata in studio.models if can_compare(metadata)]
    asked = len(address.models) > 1
    chosen = [name for name in (address.models if asked else names[:_FIRST]) if name in names]
    count = min(address.count, _MOST) if asked else _EACH
    models = gr.CheckboxGroup(names, value=chosen, label="Models", info="They all get the same seed.", interactive=True)
    with gr.Row():
        seed = make_number(address.seed, "Seed")
        count_slider = gr.Slider(1, _MOST, value=count, step=1, label="Images of each", interactive=True)
        make_dice(seed)

    handlers = _Handlers(studio)
    first = handlers.compare(page, chosen, address.seed, count) if asked else ("", "", "")
    with gr.Row():
        with gr.Column(scale=6, min_width=300):
            shown = make_images(first[0], "gs-compared")
        with gr.Column(scale=4, min_width=280, elem_classes="gs-beside"):
            recipes, bar = make_html(first[1]), make_bar(first[2])
    inputs = [models, seed, count_slider]
    live = [tab.select, models.input, seed.change, count_slider.input]
    connect(live, handlers.compare, handlers.choose, inputs, shown, [recipes, bar])


class _Handlers:
    """What the events of the panel call, with the models, the seed and the number of images that it says."""

    def __init__(self, studio: DemoClient) -> None:
        self._studio = studio
        self.compare = as_html_error(self._compare, 3)
        self.choose = as_html_error(self._choose, 1)

    def _compare(self, page: gr.Request, names: list[str], seed: Any, count: Any) -> tuple[str, str, str]:
        if not isinstance(names, list):
            raise UsageError("the models must be a list of names")
        names = [self._studio.metadata(name).name for name in names]
        query = make_query(names, {}, [checked_seed(seed)], count=checked_integer("count", count, 1, _MOST))
        if not names:
            return '<p class="gs-empty">Choose some models.</p>', "", query
        return "".join(self._row(page, name, seed, count) for name in names), _UNCHOSEN, query

    def _choose(self, page: gr.Request, chosen: gr.EventData, names: list[str], seed: Any, count: Any) -> tuple[str]:
        """How to make the image that was chosen, wherever it stands."""
        if chosen.place is None:
            return (_UNCHOSEN,)
        asked = self._asked(chosen.model, seed, count)
        return (show_choice(self._studio.metadata(chosen.model), asked, chosen.place, origin_of(page)),)

    def _row(self, page: gr.Request, model: str, seed: Any, count: Any) -> str:
        asked = self._asked(model, seed, count)
        images = self._studio.run(page, model, asked, lambda result, _: show_result(result, strip=True))
        name = html.escape(model)
        address = f"?model={name}&seed={asked.seed}"
        return f'<section aria-label="{name}"><h3><a href="{address}">{name}</a></h3>{images}</section>'

    def _asked(self, model: str, seed: Any, count: Any) -> Request:
        return self._studio.request(model, {"seed": checked_seed(seed), "count": count})
