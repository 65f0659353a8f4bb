"""The panel of a model that is given images: a sheet for each, and what the model makes of them."""

from typing import Any

import gradio as gr

from gan_serve.demo.canvas import DRAWN
from gan_serve.demo.client import DemoClient
from gan_serve.demo.components import AT_ONCE, changes, make_bar, make_html, make_seed
from gan_serve.demo.controls import make_controls, read_controls
from gan_serve.demo.errors import as_html_error
from gan_serve.demo.gallery import example_addresses
from gan_serve.demo.modes import origin_of
from gan_serve.demo.permalink import Address, checked_seed, make_query, texts_of
from gan_serve.demo.rendering import data_url, show_before_after, show_result
from gan_serve.demo.snippets import recipes_of, show_recipes
from gan_serve.images.pixels import PilImage, to_image, to_pixels
from gan_serve.metadata import ModelMetadata
from gan_serve.result import Result
from gan_serve.server.api.v1_parsing import Fields

_SHARED = "Its address names the model and the numbers, but holds no images."
_WAITING = '<p class="gs-empty">What the model makes appears here.</p>'


def make_translating(studio: DemoClient, metadata: ModelMetadata, address: Address) -> None:
    """The panel; inside a row. Without an image, there is nothing to show yet."""
    examples = example_addresses(studio.root, metadata.name)
    with gr.Column(scale=5, min_width=300):
        controls = make_controls(metadata, address.inputs, examples, studio.service.settings.max_body)
        seed = make_seed(address) if metadata.is_random else None
    with gr.Column(scale=5, min_width=300):
        made = make_html(_WAITING, elem_id="gs-made")
        recipes = make_html()
        bar = make_bar("")
    numbers = [seed] if seed else []
    inputs = [*numbers, *(each for control in controls for each in control.components)]

    def translate(page: gr.Request, *values: Any) -> tuple[str, str, str]:
        seeds = [checked_seed(value) for value in values[: len(numbers)]]
        return _translate(studio, page, metadata, read_controls(controls, values[len(numbers) :]), seeds)

    gr.on(changes([], numbers, controls), as_html_error(translate, 3), inputs, [made, recipes, bar], **AT_ONCE)


def _translate(
    studio: DemoClient, page: gr.Request, metadata: ModelMetadata, fields: Fields, seeds: list[int]
) -> tuple[str, str, str]:
    """What is made of the images in the fields, how to make it again, and what the address says of it."""
    if missing := _missing(metadata, fields):
        return f'<p class="gs-empty">{missing}</p>', "", make_query([metadata.name], {}, seeds)
    asked = studio.request(metadata.name, {**fields, **({"seed": seeds[0]} if seeds else {})})
    shown = studio.run(page, metadata.name, asked, lambda result, _: _show_made(result))
    recipes = show_recipes(recipes_of(metadata, asked, origin_of(page)), shared=_SHARED)
    query = make_query([metadata.name], texts_of(metadata, asked.inputs[0]), seeds)
    return shown + _what_went_in(fields), recipes, query


def _what_went_in(fields: Fields) -> str:
    """Links that save what was drawn on the page, so that the recipes find it."""
    drawn = [image for value in fields.values() if isinstance(value, list) for image in value]
    links = [
        f'<a href="{data_url(content)}" download="{name}">Save {name}</a>' for name, content in drawn if name in DRAWN
    ]
    return f'<p class="gs-links">{" ".join(links)}</p>' if links else ""


def _show_made(result: Result) -> str:
    """An image before and after, or what the model says of it."""
    if not result.metadata.image_outputs:
        return show_result(result)
    (name, content), *_ = result.encode_each("png")
    return show_before_after(_before(result), content, name)


def _before(result: Result) -> PilImage:
    """The image that went in, as much of it as the answer shows."""
    from gan_serve.image_fitting import fit_inputs

    view = fit_inputs(result.metadata.inputs, result.items[0].inputs).first
    if result.metadata.image_outputs[0].like:
        return to_image(view.original, 1)
    return to_image(to_pixels(view.array[None], view.tensor)[0], 1)


def _missing(metadata: ModelMetadata, fields: Fields) -> str:
    """What the user has not given yet."""
    absent = [tensor for tensor in metadata.image_inputs if tensor.name not in fields]
    if not absent:
        return ""
    paint = absent[0].kind == "mask"
    return "Paint over what is to be filled in." if paint else "What the model makes appears here."
