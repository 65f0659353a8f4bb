"""The draw panel: controls, a seed, and images that follow every change."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from gan_serve.demo.client import DemoClient
from gan_serve.demo.components import (
    IMMEDIATE,
    changes,
    connect,
    make_bar,
    make_html,
    make_images,
    make_number,
    make_seed,
)
from gan_serve.demo.controls import Control, make_controls, read_controls
from gan_serve.demo.errors import as_gradio_error, as_html_error
from gan_serve.demo.modes import (
    IMAGES,
    MIX,
    Selection,
    has_two_seeds,
    modes_of,
    origin_of,
    query_of,
    render_mode,
    request_of,
    selectors_of,
    snippets_of_all,
)
from gan_serve.demo.permalink import Address, checked_seed
from gan_serve.demo.rendering import data_url
from gan_serve.demo.snippets import show_choice, show_snippets
from gan_serve.errors import UsageError, short_repr
from gan_serve.metadata import ModelMetadata
from gan_serve.seeds import checked_integer

_SAVE = """(download) => {
  const link = document.createElement("a");
  [link.href, link.download] = [download.url, download.name];
  link.click();
}"""
_TYPES = {"png": "image/png", "zip": "application/zip", "gif": "image/gif"}


def make_draw_panel(client: DemoClient, page: gr.Request, metadata: ModelMetadata, address: Address) -> None:
    """Add the panel to the current row, with the values in the address."""
    settings = client.service.settings
    modes = modes_of(metadata)
    mode = address.mode if address.mode in modes else IMAGES
    with gr.Column(scale=3, min_width=260):
        kind = gr.Radio(
            [(title, name) for name, title in modes.items()], value=mode, label="What to show", interactive=True
        )
        other = make_number(address.other, "The other seed", visible=has_two_seeds(mode), elem_id="gs-other")
        middles = {scalar.name: str(scalar.middle) for scalar in selectors_of(metadata)} if mode == MIX else {}
        controls = make_controls(metadata, middles | address.inputs, [], settings.max_body)
        seed = make_seed(address)
        count = gr.Slider(1, settings.max_count, value=address.count, step=1, label="How many", interactive=True)
    handlers = _Handlers(client, metadata, controls)
    inputs = [kind, seed, other, count, *(each for control in controls for each in control.components)]
    first = handlers.draw(page, *(each.value for each in inputs))
    with gr.Column(scale=6, min_width=300, elem_classes="gs-output"):
        images = make_images(first[0], "gs-images")
        _make_saving(handlers, inputs)
        snippets, bar = make_html(first[1]), make_bar(first[2])
    sliders = _follow_mode(metadata, kind, other, controls)
    live = changes([kind, other, count], [seed, *sliders], controls)
    connect(live, handlers.draw, handlers.choose, inputs, images, [snippets, bar])


def _follow_mode(
    metadata: ModelMetadata, kind: gr.Radio, other: gr.Number, controls: Sequence[Control]
) -> list[Component]:
    """Show the second seed if the mode needs it, and start a mixture with a value at which both seeds are visible.

    Return the sliders that may change.
    """
    selectors = selectors_of(metadata)
    sliders = [each.components[0] for scalar in selectors for each in controls if each.name == scalar.name]

    def follow(mode: str, *values: float) -> dict[Component, Any]:
        pairs = zip(selectors, values, strict=True)
        updated = [scalar.middle if mode == MIX and value == scalar.default else value for scalar, value in pairs]
        return {other: gr.Number(visible=has_two_seeds(mode)), **dict(zip(sliders, updated, strict=True))}

    kind.input(follow, [kind, *sliders], [other, *sliders], **IMMEDIATE)
    return sliders


def _make_saving(handlers: "_Handlers", inputs: list[Any]) -> None:
    download = gr.JSON(visible="hidden")
    with gr.Row(elem_classes="gs-saving"):
        for format in _TYPES:
            button = gr.Button(f"Save {format.upper()}", size="sm", min_width=80)
            saved = button.click(handlers.saver(format), inputs, download, **IMMEDIATE)
            saved.success(None, download, None, js=_SAVE, queue=False, api_visibility="private")


class _Handlers:
    """Event handlers; `values` are the values of the panel's components."""

    def __init__(self, client: DemoClient, metadata: ModelMetadata, controls: Sequence[Control]) -> None:
        self._client, self._metadata, self._controls = client, metadata, controls
        self.draw = as_html_error(self._draw, 3)
        self.choose = as_html_error(self._choose, 1)

    def saver(self, format: str) -> Callable[..., dict[str, str]]:
        """Return the handler of a download button."""

        def save(page: gr.Request, *values: Any) -> dict[str, str]:
            selection = self._selection(values)
            content = render_mode(self._client, page, self._metadata.name, selection).files[format]()
            name = f"{self._metadata.name}-seed{selection.seed}.{format}"
            return {"name": name, "url": data_url(content, _TYPES[format])}

        return as_gradio_error(save)

    def _draw(self, page: gr.Request, *values: Any) -> tuple[str, str, str]:
        selection = self._selection(values)
        rendered = render_mode(self._client, page, self._metadata.name, selection)
        query = query_of(self._client, self._metadata.name, selection)
        return rendered.html, self._snippets(page, selection), query

    def _choose(self, page: gr.Request, chosen: gr.EventData, *values: Any) -> tuple[str]:
        return (self._snippets(page, self._selection(values), chosen.place),)

    def _snippets(self, page: gr.Request, selection: Selection, place: int | None = None) -> str:
        """Return snippets that reproduce the selected image, or all images if none is selected."""
        request, origin = request_of(self._client, self._metadata, selection), origin_of(page)
        if place is None:
            return show_snippets(snippets_of_all(self._metadata, request, origin))
        return show_choice(self._metadata, request, place, origin)

    def _selection(self, values: Sequence[Any]) -> Selection:
        mode, seed, other, count, *rest = values
        if mode not in list(modes_of(self._metadata)):
            raise UsageError(f"{self._metadata.name} has no mode {short_repr(mode)}")
        fields = read_controls(self._controls, rest)
        count = checked_integer("count", count, 1, self._client.service.settings.max_count)
        other = checked_seed(other, "other seed") if has_two_seeds(mode) else 0
        return Selection(mode, fields, checked_seed(seed), other, count)
