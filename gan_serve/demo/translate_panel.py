"""The translate panel: a canvas for each image input, and the model's output."""

from typing import Any

import gradio as gr

from gan_serve.demo.canvas import DRAWN
from gan_serve.demo.client import DemoClient
from gan_serve.demo.components import IMMEDIATE, changes, make_bar, make_html, make_seed
from gan_serve.demo.controls import make_controls, read_controls
from gan_serve.demo.errors import as_html_error
from gan_serve.demo.gallery import example_addresses
from gan_serve.demo.modes import IMAGES, origin_of, show_varied, varied, varying_modes
from gan_serve.demo.permalink import Address, checked_seed, make_query, texts_of
from gan_serve.demo.rendering import data_url, show_before_after, show_numbers, show_others, show_result
from gan_serve.demo.snippets import show_snippets, snippets_of
from gan_serve.images.pixels import PilImage, to_image
from gan_serve.metadata import ModelMetadata
from gan_serve.result import Result
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.tensors import Image

_SHARED = "Its address holds the model and the numbers, but no images."
_NO_OUTPUT = "The output appears here."


def make_translate_panel(client: DemoClient, metadata: ModelMetadata, address: Address) -> None:
    """Add the panel to the current row. It shows no output until there is an image."""
    examples = example_addresses(client.root, metadata.name)
    with gr.Column(scale=5, min_width=300):
        mode = _make_mode(metadata)
        controls = make_controls(metadata, address.inputs, examples, client.service.settings.max_body)
        seed = make_seed(address) if metadata.is_random else None
    with gr.Column(scale=5, min_width=300):
        output = make_html(f'<p class="gs-empty">{_NO_OUTPUT}</p>', elem_id="gs-output")
        snippets = make_html()
        bar = make_bar("")
    numbers = [seed] if seed else []
    inputs = [mode, *numbers, *(each for control in controls for each in control.components)]

    def translate(page: gr.Request, shown: str, *values: Any) -> tuple[str, str, str]:
        seeds = [checked_seed(value) for value in values[: len(numbers)]]
        fields = read_controls(controls, values[len(numbers) :])
        several = varied(client, metadata, shown) if shown in varying_modes(metadata) else {}
        return _translate(client, page, metadata, {**fields, **several}, seeds)

    gr.on(changes([mode], numbers, controls), as_html_error(translate, 3), inputs, [output, snippets, bar], **IMMEDIATE)


def _make_mode(metadata: ModelMetadata) -> gr.Radio:
    """Return a choice between one image and a varied input, which is hidden where no input can be varied."""
    varying = varying_modes(metadata) if metadata.image_outputs else {}
    options = [("One image", IMAGES), *((title, name) for name, title in varying.items())]
    return gr.Radio(options, value=IMAGES, label="What to show", interactive=True, visible=bool(varying))


def _translate(
    client: DemoClient, page: gr.Request, metadata: ModelMetadata, fields: Fields, seeds: list[int]
) -> tuple[str, str, str]:
    """Return the output for the images in the fields, its snippets, and the query of the address."""
    if missing := _missing(metadata, fields):
        return f'<p class="gs-empty">{missing}</p>', "", make_query([metadata.name], {}, seeds)
    request = client.request(metadata.name, {**fields, **({"seed": seeds[0]} if seeds else {})})
    output = client.run(page, metadata.name, request, lambda result, _: _show_output(result))
    snippets = show_snippets(snippets_of(metadata, request, origin_of(page)), shared=_SHARED)
    query = make_query([metadata.name], texts_of(metadata, request.inputs[0]), seeds)
    return output + _drawing_links(metadata, fields), snippets, query


def _drawing_links(metadata: ModelMetadata, fields: Fields) -> str:
    """Return download links for drawings, which the snippets need as files."""
    images = [image for tensor in metadata.image_inputs for image in fields.get(tensor.name, [])]
    links = [
        f'<a href="{data_url(content)}" download="{name}">Save {name}</a>' for name, content in images if name in DRAWN
    ]
    return f'<p class="gs-links">{" ".join(links)}</p>' if links else ""


def _show_output(result: Result) -> str:
    """Return the image before and after with all other outputs below, or outputs that cannot be compared with it."""
    if not isinstance(next(iter(result.metadata.drawn_outputs), None), Image):
        return show_result(result)
    if len(result) > 1:
        return show_varied(result)
    (name, content), *_ = result.encode_each("png")
    numbers = show_numbers(result) if result.metadata.numeric_outputs else ""
    return show_before_after(_before(result), content, name) + show_others(result) + numbers


def _before(result: Result) -> PilImage:
    """Return the input image, cropped to the part that the output shows."""
    from gan_serve.image_fitting import fit_inputs

    fitted = fit_inputs(result.metadata.inputs, result.items[0].inputs).first
    if result.metadata.image_outputs[0].like:
        return to_image(fitted.original, 1)
    return to_image(fitted.tensor.to_pixels(fitted.array[None])[0], 1)


def _missing(metadata: ModelMetadata, fields: Fields) -> str:
    """Return what the user has to do next, or an empty text if every image is there."""
    absent = [tensor for tensor in metadata.image_inputs if tensor.is_required and tensor.name not in fields]
    if not absent:
        return ""
    return "Paint over the part to fill in." if absent[0] in metadata.masks else _NO_OUTPUT
