"""Endpoints for `gradio_client`: the page's functions by name, with images as base64 as in the plain API."""

import json
from typing import Any

import gradio as gr
from gradio.events import api

from gan_serve.demo.client import DemoClient
from gan_serve.demo.errors import as_gradio_error
from gan_serve.result import Result
from gan_serve.seeds import random_seed
from gan_serve.server.api.content_negotiation import ResponseFormat, encode
from gan_serve.server.api.v1_parsing import Fields
from gan_serve.server.errors import bad_request


def add_endpoints(client: DemoClient) -> None:
    """Add the endpoints to the current page."""

    def models() -> list[dict[str, Any]]:
        """List the models, with their tasks and inputs."""
        return [
            {
                "name": metadata.name,
                "task": metadata.task,
                "description": metadata.description,
                "inputs": [{"name": tensor.name, "kind": tensor.kind} for tensor in metadata.inputs],
            }
            for metadata in client.models
        ]

    def generate(
        page: gr.Request, model: str, inputs: dict[str, Any] | None = None, seed: int | None = None, count: int = 1
    ) -> dict[str, Any]:
        """Run a model. Returns images as base64 PNG, or numbers, and the seed that reproduces them."""
        numbers = {} if seed is None else {"seed": seed}
        counts = {} if count == 1 else {"count": count}  # as with the seed, the inputs may already hold one
        request = client.request(model, {**_fields(inputs), **numbers, **counts})
        return client.run(page, model, request, _document)

    def translate(
        page: gr.Request, model: str, image: str, inputs: dict[str, Any] | None = None, seed: int | None = None
    ) -> dict[str, Any]:
        """Run a model on an image in base64; pass masks and other inputs in `inputs`."""
        image_inputs = client.metadata(model).image_inputs
        if not image_inputs:
            raise bad_request(f"{model} takes no image; use /generate")
        return generate(page, model, {**_fields(inputs), image_inputs[0].name: image}, seed)

    def walk(
        page: gr.Request, model: str, seed: int, to: int, steps: int = 16, inputs: dict[str, Any] | None = None
    ) -> list[str]:
        """Interpolate from one seed to another. Returns each image as base64 PNG."""
        return images(page, model, _fields({**_fields(inputs), "seed": seed, "walk_to": to, "steps": steps}))

    def mix(
        page: gr.Request,
        model: str,
        taken: list[str],
        seed: int | None = None,
        other: int | None = None,
        size: int = 4,
        inputs: dict[str, Any] | None = None,
    ) -> list[str]:
        """Mix two seeds. Returns a square of images by rows; columns have the latents `taken` of the seed `other`."""
        first, second = (random_seed() if each is None else each for each in (seed, other))
        mixture = {"seed": first, "count": size, "mix_with": second, "mix": taken}
        return images(page, model, {**_fields(inputs), **mixture})

    def images(page: gr.Request, model: str, fields: Fields) -> list[str]:
        document = client.run(page, model, client.request(model, fields), _document)
        if any("png" not in answer for answer in document["answers"]):
            raise bad_request(f"{model} answers with numbers; use /generate or /translate")
        return [answer["png"] for answer in document["answers"]]

    for endpoint in (models, generate, translate, walk, mix):
        api(as_gradio_error(endpoint), api_name=endpoint.__name__, queue=False)


def _fields(inputs: object) -> Fields:
    if not isinstance(inputs, dict | None):
        raise bad_request("the inputs must be an object of names and values")
    return {name: value for name, value in (inputs or {}).items() if value is not None}


def _document(result: Result, device: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode(result, ResponseFormat("json"), device))
    return document
