"""The whole page. What depends on the models is created for each visitor."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

from gan_serve.demo.api import add_endpoints
from gan_serve.demo.client import DemoClient, connection, visitor
from gan_serve.demo.compare_panel import make_compare_panel
from gan_serve.demo.components import make_html
from gan_serve.demo.draw_panel import make_draw_panel
from gan_serve.demo.errors import NO_UPLOADS, DemoError, alert
from gan_serve.demo.gallery import show_gallery
from gan_serve.demo.model_card import show_card
from gan_serve.demo.permalink import Address, parse_address
from gan_serve.demo.translate_panel import make_translate_panel
from gan_serve.metadata import ModelMetadata
from gan_serve.server.errors import bad_request
from gan_serve.server.request_context import context_of

_TITLE = """
<header class="gs-head"><h1><a href="?">gan-serve</a></h1>
<p>Classic GANs, live: choose a model, change its inputs, and share what you find.</p></header>
"""
_READ_ADDRESS = "() => '?' + location.search.slice(1)"
_OPEN = """(name) => {
  const locked = document.querySelector("#gs-lock input")?.checked;
  const seed = document.querySelector("#gs-seed input")?.value;
  location.search = "?model=" + encodeURIComponent(name) + (locked ? `&seed=${seed}&lock=1` : "");
}"""
_RELOAD_DELAY = 1.0  # seconds between reloads of a page while the models are loading


class _Page(gr.Blocks):
    """A Gradio page that accepts no files and keeps no inputs or outputs of its visitors."""

    def validate_inputs(self, block_fn: BlockFunction, inputs: list[Any]) -> None:
        """Reject file references, which Gradio would fetch from any URL or from this machine's disk.

        Raises:
            DemoError: an input holds a file reference.
        """
        super().validate_inputs(block_fn, inputs)
        if _holds_file(inputs):
            raise DemoError(bad_request(NO_UPLOADS))

    async def preprocess_data(self, *args: Any, **others: Any) -> list[Any]:
        """Return the inputs of a handler. Report inputs that Gradio rejects as a bad request.

        Raises:
            DemoError: Gradio rejects the inputs.
        """
        try:
            values: list[Any] = await super().preprocess_data(*args, **others)
        except DemoError:
            raise
        except Exception as error:
            raise DemoError(bad_request(str(error).partition("\n")[0])) from None
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
        """Run an event, then delete the values that Gradio keeps for links to a session."""
        try:
            return await super().process_api(block_fn, inputs, state, request, *args, **others)
        except DemoError as error:
            context_of(connection(request).scope).error_status = error.api_error.status
            raise
        finally:
            for component in state.components if state else ():
                component["props"].pop("value", None)


def make_page(client: DemoClient) -> gr.Blocks:
    """Return the demo. Everything that depends on the models is created when a visitor opens the page."""
    page = _Page(title="gan-serve", analytics_enabled=False, fill_width=True)
    with page:
        query = gr.Textbox(visible="hidden")  # the query of the address
        make_html(_TITLE)
        gr.render([query], [query.change], queue=False)(partial(_show, client))
        page.load(None, None, query, js=_READ_ADDRESS, queue=False, api_visibility="private")
        add_endpoints(client)
    return page


def _holds_file(value: object) -> bool:
    if isinstance(value, dict):
        return {"path", "meta"} <= value.keys() or any(map(_holds_file, value.values()))
    return isinstance(value, list) and any(map(_holds_file, value))


def _show(client: DemoClient, query: str) -> None:
    try:
        address = parse_address(query.removeprefix("?"), client.service.settings.max_count)
        metadata = client.metadata(address.models[0]) if len(address.models) == 1 else None
        _make_tabs(client, metadata, address)
    except Exception as error:
        make_html(f'{alert(error)}<p><a href="?">All models</a></p>')
    if client.service.state == "loading":
        gr.Timer(_RELOAD_DELAY).tick(None, None, None, js="() => location.reload()", queue=False)


def _make_tabs(client: DemoClient, metadata: ModelMetadata | None, address: Address) -> None:
    with gr.Tabs(selected="try" if metadata else "compare" if address.models else "models"):
        with gr.Tab("Models", id="models"):
            make_html(show_gallery(client.models, client.root), elem_id="gs-gallery")
        with gr.Tab("Try one", id="try"):
            _make_choice(client, metadata)
            if metadata:
                _make_panel(client, metadata, address)
        with gr.Tab("Compare", id="compare") as tab:
            make_compare_panel(client, visitor(), tab, address)


def _make_choice(client: DemoClient, metadata: ModelMetadata | None) -> None:
    names = [each.name for each in client.models]
    with gr.Row(elem_id="gs-model"):
        choice = gr.Dropdown(names, value=metadata.name if metadata else None, label="Model", interactive=True)
    choice.input(None, choice, None, js=_OPEN, queue=False, api_visibility="private")


def _make_panel(client: DemoClient, metadata: ModelMetadata, address: Address) -> None:
    with gr.Row():
        if metadata.image_inputs:
            make_translate_panel(client, metadata, address)
        else:
            make_draw_panel(client, visitor(), metadata, address)
        with gr.Column(scale=4, min_width=280, elem_classes="gs-about"):
            make_html(show_card(metadata))
