"""The demo's access to the server: the same queues, limits, deadlines and metrics as the other APIs."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import gradio as gr
from anyio import from_thread
from gradio.context import LocalContext
from starlette.requests import Request as HttpRequest

from gan_serve.metadata import ModelMetadata
from gan_serve.repository import models_folder
from gan_serve.request import Request
from gan_serve.result import Result
from gan_serve.server.api.content_negotiation import ResponseFormat
from gan_serve.server.api.generation import GenerationTask, check_pixels
from gan_serve.server.api.v1_parsing import Fields, parse_request, resolve
from gan_serve.server.errors import bad_request
from gan_serve.server.request_context import context_of
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.service import Service

Returned = TypeVar("Returned")


class DemoClient:
    """Runs requests through the server's scheduler, from the threads of Gradio's handlers."""

    def __init__(self, service: Service) -> None:
        self.service = service

    @property
    def root(self) -> Path:
        """The models folder, which holds their samples, too."""
        return models_folder(self.service.settings.models)

    @property
    def models(self) -> list[ModelMetadata]:
        """The metadata of the models in service, sorted by name."""
        return [queue.metadata for queue in self.service.library.catalogue.latest()]

    def metadata(self, model: str) -> ModelMetadata:
        """Return the metadata of a model, by its name or its variant's.

        Raises:
            ApiError: the model is not served.
        """
        return self._queue(model).metadata

    def request(self, model: str, fields: Fields) -> Request:
        """Return the validated request of these fields. Images are a name and bytes, or base64.

        Raises:
            ApiError: a field has the wrong type.
            UsageError: a value is invalid for the model.
        """
        metadata, settings = self.metadata(model), self.service.settings
        if others := [name for name in ("scale", "grid", "format", "version") if name in fields]:
            raise bad_request(f"the demo takes no {others[0]}; use /v1/models/{model}/generate")
        return resolve(metadata, parse_request(metadata, fields, settings.max_count), settings)

    def run(
        self, page: gr.Request, model: str, request: Request, convert: Callable[[Result, str], Returned]
    ) -> Returned:
        """Run a model and return `convert(result, device)`, which a worker thread computes.

        Call this from a Gradio handler, which runs in a thread beside the event loop.

        Raises:
            GanServeError, ApiError: the request fails.
        """
        queue, context = self._queue(model), context_of(connection(page).scope)
        settings, generator = self.service.settings, queue.generator
        check_pixels(queue.metadata, request, ResponseFormat("png"), settings.max_pixels)
        context.model = queue.metadata.name
        generation = GenerationTask(generator, request, lambda result: convert(result, generator.device))
        task = generation.task(context.started + settings.deadline)
        output: Returned = from_thread.run(self.service.scheduler.run, queue, task, context)
        return output

    def _queue(self, model: object) -> ModelQueue:
        if not isinstance(model, str):
            raise bad_request("the model must be a string, its name")
        return self.service.library.catalogue.find(model)


def connection(page: gr.Request) -> HttpRequest:
    """Return the HTTP request behind a Gradio request."""
    assert page.request is not None  # Gradio has none only without a server
    return page.request


def visitor() -> gr.Request:
    """Return the current Gradio request, in handlers that do not get it as an argument."""
    page = LocalContext.request.get()
    assert page is not None  # only called by handlers
    return page
