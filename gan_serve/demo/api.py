"""What `gradio_client` calls by name: the functions of the page, with images as base64 as in the plain API."""

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


def add_endpoints(studio: DemoClient) -> None:
    """Name them within a page."""

    def models() -> list[dict[str, Any]]:
        """The models, what each one is for, and the inputs that it takes."""
        return [
            {
                "name": metadata.name,
                "task": metadata.task,
                "description": metadata.description,
                "inputs": [{"name": tensor.name, "kind": tensor.kind} for tensor in metadata.inputs],
            }
            for metadata in studio.models
        ]

    def generate(
        page: gr.Request, model: str, inputs: dict[str, Any] | None = None, seed: int | None = None, count: int = 1
    ) -> dict[str, Any]:
        """The answers of a model: images as base64 PNG, or numbers; with the seed that makes them again."""
        numbers = {} if seed is None else {"seed": seed}
        counts = {} if count == 1 else {"count": count}  # as with the seed, one among the inputs may stand
        asked = studio.request(model, {**_fields(inputs), **numbers, **counts})
        return studio.run(page, model, asked, _document)

    def translate(
        page: gr.Request, model: str, image: str, inputs: dict[str, Any] | None = None, seed: int | None = None
    ) -> dict[str, Any]:
        """What a model makes of an image in base64; masks and the like are among the inputs."""
        taken = studio.metadata(model).image_inputs
        if not taken:
            raise bad_request(f"{model} takes no image; use /generate")
        return generate(page, model, {**_fields(inputs), taken[0].name: image}, seed)

    def walk(
        page: gr.Request, model: str, seed: int, to: int, steps: int = 16, inputs: dict[str, Any] | None = None
    ) -> list[str]:
        """Images from one seed to another, each as base64 PNG."""
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
        """A square of images whose columns take the latents `taken` from the seed `other`, row by row."""
        first, second = (random_seed() if each is None else each for each in (seed, other))
        mixture = {"seed": first, "count": size, "mix_with": second, "mix": taken}
        return images(page, model, {**_fields(inputs), **mixture})

    def images(page: gr.Request, model: str, fields: Fields) -> list[str]:
        made = studio.run(page, model, studio.request(model, fields), _document)
        if any("png" not in answer for answer in made["answers"]):
            raise bad_request(f"{model} answers with numbers; use /generate or /translate")
        return [answer["png"] for answer in made["answers"]]

    for endpoint in (models, generate, translate, walk, mix):
        api(as_gradio_error(endpoint), api_name=endpoint.__name__, queue=False)


def _fields(inputs: object) -> Fields:
    if not isinstance(inputs, dict | None):
        raise bad_request("the inputs must be an object with names and values")
    return {name: value for name, value in (inputs or {}).items() if value is not None}


def _document(result: Result, device: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode(result, ResponseFormat("json"), device))
    return document
