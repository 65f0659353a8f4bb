"""The page, put together. What it shows of models is made anew for every visitor, from what is served then."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

from gan_serve.demo.api import add_endpoints
from gan_serve.demo.client import DemoClient, connection, visitor
from gan_serve.demo.compare_panel import make_comparing
from gan_serve.demo.components import make_html
from gan_serve.demo.draw_panel import make_drawing
from gan_serve.demo.errors import NO_UPLOADS, Told, alert
from gan_serve.demo.gallery import show_gallery
from gan_serve.demo.model_card import show_card
from gan_serve.demo.permalink import Address, parse_address
from gan_serve.demo.translate_panel import make_translating
from gan_serve.metadata import ModelMetadata
from gan_serve.server.errors import bad_request
from gan_serve.server.request_context import context_of

_TITLE = """
<header class="gs-head"><h1><a href="?">gan-serve</a></h1>
<p>Classic GANs, live: choose a model, turn its knobs, draw, and share what you find.</p></header>
"""
_READ_ADDRESS = "() => '?' + location.search.slice(1)"
_OPEN = """(name) => {
  const locked = document.querySelector("#gs-lock input")?.checked;
  const seed = document.querySelector("#gs-seed input")?.value;
  location.search = "?model=" + encodeURIComponent(name) + (locked ? `&seed=${seed}&lock=1` : "");
}"""
_SOON = 1.0  # seconds until a page is loaded again that shows models before they are there


class _Page(gr.Blocks):
    """A page of Gradio's that takes no files, and keeps nothing of what its visitors give and get."""

    def validate_inputs(self, block_fn: BlockFunction, inputs: list[Any]) -> None:
        """Refuse what Gradio takes for a file: it would fetch it, from any address or from this machine's disk.

        Raises:
            Told: there is one.
        """
        super().validate_inputs(block_fn, inputs)
        if _holds_file(inputs):
            raise Told(bad_request(NO_UPLOADS))

    async def preprocess_data(self, *args: Any, **others: Any) -> list[Any]:
        """What came for a handler; where Gradio takes it for no call of it, the caller is wrong.

        Raises:
            Told: it is none.
        """
        try:
            values: list[Any] = await super().preprocess_data(*args, **others)
        except Told:
            raise
        except Exception as error:
            raise Told(bad_request(str(error).partition("\n")[0])) from None
        return values

    async def process_api(
        self,
        block_fn: BlockFunction | int,
        inputs: list[Any],
        state: SessionState | None = None,
        request: Any = None,
        *args: Any,
        **others: Any,
    ) -> dict[str, Any]:
        """Answer an event, and forget the values that Gradio keeps of it, from which links to a session are made."""
        try:
            return await super().process_api(block_fn, inputs, state, request, *args, **others)
        except Told as told:
            context_of(connection(request).scope).refused = told.refusal.status
            raise
        finally:
            for component in state.components if state else ():
                component["props"].pop("value", None)


def make_page(studio: DemoClient) -> gr.Blocks:
    """The whole demo. All that depends on models is made when somebody opens the page."""
    page = _Page(title="gan-serve", analytics_enabled=False, fill_width=True)
    with page:
        query = gr.Textbox(visible="hidden")  # what the address says
        make_html(_TITLE)
        gr.render([query], [query.change], queue=False)(partial(_show, studio))
        page.load(None, None, query, js=_READ_ADDRESS, queue=False, api_visibility="private")
        add_endpoints(studio)
    return page


def _holds_file(value: object) -> bool:
    if isinstance(value, dict):
        return {"path", "meta"} <= value.keys() or any(map(_holds_file, value.values()))
    return isinstance(value, list) and any(map(_holds_file, value))


def _show(studio: DemoClient, query: str) -> None:
    try:
        address = parse_address(query.removeprefix("?"), studio.service.settings.max_count)
        metadata = studio.metadata(address.models[0]) if len(address.models) == 1 else None
        _make_tabs(studio, metadata, address)
    except Exception as error:
        make_html(f'{alert(error)}<p><a href="?">All models</a></p>')
    if studio.service.state == "loading":
        gr.Timer(_SOON).tick(None, None, None, js="() => location.reload()", queue=False)


def _make_tabs(studio: DemoClient, metadata: ModelMetadata | None, address: Address) -> None:
    with gr.Tabs(selected="try" if metadata else "compare" if address.models else "models"):
        with gr.Tab("Models", id="models"):
            make_html(show_gallery(studio.models, studio.root), elem_id="gs-gallery")
        with gr.Tab("Try one", id="try"):
            _make_choice(studio, metadata)
            if metadata:
                _make_panel(studio, metadata, address)
        with gr.Tab("Compare", id="compare") as tab:
            make_comparing(studio, visitor(), tab, address)


def _make_choice(studio: DemoClient, metadata: ModelMetadata | None) -> None:
    names = [each.name for each in studio.models]
    with gr.Row(elem_id="gs-model"):
        choice = gr.Dropdown(names, value=metadata.name if metadata else None, label="Model", interactive=True)
    choice.input(None, choice, None, js=_OPEN, queue=False, api_visibility="private")


def _make_panel(studio: DemoClient, metadata: ModelMetadata, address: Address) -> None:
    with gr.Row():
        if metadata.image_inputs:
            make_translating(studio, metadata, address)
        else:
            make_drawing(studio, visitor(), metadata, address)
        with gr.Column(scale=4, min_width=280, elem_classes="gs-about"):
            make_html(show_card(metadata))
