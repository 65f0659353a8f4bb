"""The compare panel: the same seed through several models, side by side."""

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

_EACH = 8  # images per model, by default
_MOST = 16  # images per model, at most
_FIRST = 4  # models to compare, by default
_UNCHOSEN = '<p class="gs-empty">Choose an image to see how to make it again.</p>'


def can_compare(metadata: ModelMetadata) -> bool:
    """Return whether a model makes images from a seed alone."""
    return metadata.is_random and not metadata.image_inputs and bool(metadata.drawn_outputs)


def make_compare_panel(client: DemoClient, page: gr.Request, tab: gr.Tab, address: Address) -> None:
    """Add the panel to the current column."""
    names = [metadata.name for metadata in client.models if can_compare(metadata)]
    linked = len(address.models) > 1  # the address names the models
    chosen = [name for name in (address.models if linked else names[:_FIRST]) if name in names]
    count = min(address.count, _MOST) if linked else _EACH
    models = gr.CheckboxGroup(
        names, value=chosen, label="Models", info="All models get the same seed.", interactive=True
    )
    with gr.Row():
        seed = make_number(address.seed, "Seed")
        count_slider = gr.Slider(1, _MOST, value=count, step=1, label="Images per model", interactive=True)
        make_dice(seed)

    handlers = _Handlers(client)
    first = handlers.compare(page, chosen, address.seed, count) if linked else ("", "", "")
    with gr.Row():
        with gr.Column(scale=6, min_width=300):
            images = make_images(first[0], "gs-compared")
        with gr.Column(scale=4, min_width=280, elem_classes="gs-aside"):
            snippets, bar = make_html(first[1]), make_bar(first[2])
    inputs = [models, seed, count_slider]
    live = [tab.select, models.input, seed.change, count_slider.input]
    connect(live, handlers.compare, handlers.choose, inputs, images, [snippets, bar])


class _Handlers:
    """Event handlers, which get the values of the models, the seed and the number of images."""

    def __init__(self, client: DemoClient) -> None:
        self._client = client
        self.compare = as_html_error(self._compare, 3)
        self.choose = as_html_error(self._choose, 1)

    def _compare(self, page: gr.Request, names: list[str], seed: Any, count: Any) -> tuple[str, str, str]:
        if not isinstance(names, list):
            raise UsageError("the models must be a list of names")
        names = [self._client.metadata(name).name for name in names]
        query = make_query(names, {}, [checked_seed(seed)], count=checked_integer("count", count, 1, _MOST))
        if not names:
            return '<p class="gs-empty">Choose some models.</p>', "", query
        return "".join(self._row(page, name, seed, count) for name in names), _UNCHOSEN, query

    def _choose(self, page: gr.Request, chosen: gr.EventData, names: list[str], seed: Any, count: Any) -> tuple[str]:
        """Return snippets that reproduce the selected image."""
        if chosen.place is None:
            return (_UNCHOSEN,)
        request = self._request(chosen.model, seed, count)
        return (show_choice(self._client.metadata(chosen.model), request, chosen.place, origin_of(page)),)

    def _row(self, page: gr.Request, model: str, seed: Any, count: Any) -> str:
        request = self._request(model, seed, count)
        images = self._client.run(page, model, request, lambda result, _: show_result(result, strip=True))
        name = html.escape(model)
        address = f"?model={name}&seed={request.seed}"
        return f'<section aria-label="{name}"><h3><a href="{address}">{name}</a></h3>{images}</section>'

    def _request(self, model: str, seed: Any, count: Any) -> Request:
        return self._client.request(model, {"seed": checked_seed(seed), "count": count})
