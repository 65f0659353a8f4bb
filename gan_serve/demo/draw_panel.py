"""The panel of a model that draws: its knobs, a seed, and what comes of them at once."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from gan_serve.demo.client import DemoClient
from gan_serve.demo.components import (
    AT_ONCE,
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
    Wanted,
    has_two_seeds,
    origin_of,
    query_of,
    recipes_of_all,
    request_of,
    selectors_of,
    show_view,
    views_of,
)
from gan_serve.demo.permalink import Address, checked_seed
from gan_serve.demo.rendering import data_url
from gan_serve.demo.snippets import show_choice, show_recipes
from gan_serve.errors import UsageError, short_repr
from gan_serve.metadata import ModelMetadata
from gan_serve.seeds import checked_integer

_SAVE = """(parcel) => {
  const link = document.createElement("a");
  [link.href, link.download] = [parcel.url, parcel.name];
  link.click();
}"""
_TYPES = {"png": "image/png", "zip": "application/zip", "gif": "image/gif"}


def make_drawing(studio: DemoClient, page: gr.Request, metadata: ModelMetadata, address: Address) -> None:
    """The panel, with what the address names; inside a row."""
    settings = studio.service.settings
    views = views_of(metadata)
    view = address.view if address.view in views else IMAGES
    with gr.Column(scale=3, min_width=260):
        kind = gr.Radio(
            [(title, name) for name, title in views.items()], value=view, label="What to show", interactive=True
        )
        other = make_number(address.other, "The other seed", visible=has_two_seeds(view), elem_id="gs-other")
        middles = {scalar.name: str(scalar.middle) for scalar in selectors_of(metadata)} if view == MIX else {}
        controls = make_controls(metadata, middles | address.inputs, [], settings.max_body)
        seed = make_seed(address)
        count = gr.Slider(1, settings.max_count, value=address.count, step=1, label="How many", interactive=True)
    handlers = _Handlers(studio, metadata, controls)
    inputs = [kind, seed, other, count, *(each for control in controls for each in control.components)]
    first = handlers.draw(page, *(each.value for each in inputs))
    with gr.Column(scale=6, min_width=300, elem_classes="gs-made"):
        images = make_images(first[0], "gs-images")
        _make_saving(handlers, inputs)
        recipes, bar = make_html(first[1]), make_bar(first[2])
    sliders = _follow_view(metadata, kind, other, controls)
    live = changes([kind, other, count], [seed, *sliders], controls)
    connect(live, handlers.draw, handlers.choose, inputs, images, [recipes, bar])


def _follow_view(
    metadata: ModelMetadata, kind: gr.Radio, other: gr.Number, controls: Sequence[Control]
) -> list[Component]:
    """Show what a view needs, and let a mixture begin where both seeds show; tells which sliders that may move."""
    selectors = selectors_of(metadata)
    sliders = [each.components[0] for scalar in selectors for each in controls if each.name == scalar.name]

    def follow(view: str, *values: float) -> dict[Component, Any]:
        found = zip(selectors, values, strict=True)
        begun = [scalar.middle if view == MIX and value == scalar.default else value for scalar, value in found]
        return {other: gr.Number(visible=has_two_seeds(view)), **dict(zip(sliders, begun, strict=True))}

    kind.input(follow, [kind, *sliders], [other, *sliders], **AT_ONCE)
    return sliders


def _make_saving(handlers: "_Handlers", inputs: list[Any]) -> None:
    parcel = gr.JSON(visible="hidden")
    with gr.Row(elem_classes="gs-saving"):
        for format in _TYPES:
            button = gr.Button(f"Save {format.upper()}", size="sm", min_width=80)
            saved = button.click(handlers.saver(format), inputs, parcel, **AT_ONCE)
            saved.success(None, parcel, None, js=_SAVE, queue=False, api_visibility="private")


class _Handlers:
    """What the events of one panel call; `values` are those of its controls."""

    def __init__(self, studio: DemoClient, metadata: ModelMetadata, controls: Sequence[Control]) -> None:
        self._studio, self._metadata, self._controls = studio, metadata, controls
        self.draw = as_html_error(self._draw, 3)
        self.choose = as_html_error(self._choose, 1)

    def saver(self, format: str) -> Callable[..., dict[str, str]]:
        """The handler of a button that saves."""

        def save(page: gr.Request, *values: Any) -> dict[str, str]:
            wanted = self._wanted(values)
            content = show_view(self._studio, page, self._metadata.name, wanted).files[format]()
            name = f"{self._metadata.name}-seed{wanted.seed}.{format}"
            return {"name": name, "url": data_url(content, _TYPES[format])}

        return as_gradio_error(save)

    def _draw(self, page: gr.Request, *values: Any) -> tuple[str, str, str]:
        wanted = self._wanted(values)
        shown = show_view(self._studio, page, self._metadata.name, wanted)
        query = query_of(self._studio, self._metadata.name, wanted)
        return shown.html, self._recipes(page, wanted), query

    def _choose(self, page: gr.Request, chosen: gr.EventData, *values: Any) -> tuple[str]:
        return (self._recipes(page, self._wanted(values), chosen.place),)

    def _recipes(self, page: gr.Request, wanted: Wanted, place: int | None = None) -> str:
        """How to make the image that was chosen, or all of them where none is."""
        asked, origin = request_of(self._studio, self._metadata, wanted), origin_of(page)
        if place is None:
            return show_recipes(recipes_of_all(self._metadata, asked, origin))
        return show_choice(self._metadata, asked, place, origin)

    def _wanted(self, values: Sequence[Any]) -> Wanted:
        view, seed, other, count, *rest = values
        if view not in list(views_of(self._metadata)):
            raise UsageError(f"{self._metadata.name} has no view {short_repr(view)}")
        fields = read_controls(self._controls, rest)
        count = checked_integer("count", count, 1, self._studio.service.settings.max_count)
        other = checked_seed(other, "other seed") if has_two_seeds(view) else 0
        return Wanted(view, fields, checked_seed(seed), other, count)
