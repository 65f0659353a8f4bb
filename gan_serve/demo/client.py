"""What the demo's handlers ask of the server: the same queue, limits, deadlines and metrics as every other way."""

import functools
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from gradio.context import LocalContext
from starlette.requests import Request as HttpRequest

from gan_serve.metadata import ModelMetadata
from gan_serve.repository import models_folder
from gan_serve.request import Request
from gan_serve.result import Result
from gan_serve.server.api.content_negotiation import ResponseFormat
from gan_serve.server.api.generation import GenerationTask, check_pixels
from gan_serve.server.api.v1_parsing import Fields, parse_request, resolve
from gan_serve.server.errors import ClientDisconnected, DeadlineExceeded, bad_request
from gan_serve.server.request_context import RequestContext, context_of
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.task import Task
from gan_serve.server.service import Service

Returned = TypeVar("Returned")


class DemoClient:
    """Asks the server's engine, from the thread of a handler."""

    def __init__(self, service: Service) -> None:
        self.service = service

    @property
    def root(self) -> Path:
        """The folder of the models, where their samples lie, too."""
        return models_folder(self.service.settings.models)

    @property
    def models(self) -> list[ModelMetadata]:
        """Those that can be asked, by name."""
        return [lane.metadata for lane in self.service.library.catalogue.latest()]

    def metadata(self, model: str) -> ModelMetadata:
        """What is known of a model, by its name or its variant's.

        Raises:
            ApiError: it is not served.
        """
        return self._lane(model).metadata

    def request(self, model: str, fields: Fields) -> Request:
        """What these fields ask for; images in them are a name and a file's bytes, or base64.

        Raises:
            ApiError: they cannot be.
            UsageError: a value that the model does not take.
        """
        metadata, settings = self.metadata(model), self.service.settings
        if others := [name for name in ("scale", "grid", "format", "version") if name in fields]:
            raise bad_request(f"the demo takes no {others[0]}; use /v1/models/{model}/generate")
        return resolve(metadata, parse_request(metadata, fields, settings.max_count), settings)

    def run(self, page: gr.Request, model: str, asked: Request, answer: Callable[[Result, str], Returned]) -> Returned:
        """What `answer` makes of a result and the device that made it, in the runner's thread.

        Raises:
            GanServeError, ApiError: there is none.
        """
        lane, note = self._lane(model), context_of(connection(page).scope)
        settings = self.service.settings
        check_pixels(lane.metadata, asked, ResponseFormat("png"), settings.max_pixels)
        work = GenerationTask(lane.generator, asked, lambda result: answer(result, lane.generator.device))
        made: Returned = self._wait(note, lane, work.call(note.began + settings.deadline))
        return made

    def _wait(self, note: RequestContext, lane: ModelQueue, call: Task) -> Any:
        engine = self.service.engine
        note.model = lane.metadata.name
        note.on_leave = functools.partial(engine.withdraw, lane, call)
        if note.left:
            raise ClientDisconnected
        engine.submit(lane, call)
        try:
            return call.future.result(max(0.0, call.deadline - time.monotonic()))
        except CancelledError:
            raise ClientDisconnected from None
        except TimeoutError:
            engine.withdraw(lane, call)
            raise DeadlineExceeded from None

    def _lane(self, model: object) -> ModelQueue:
        if not isinstance(model, str):
            raise bad_request("the model must be a text, its name")
        return self.service.library.catalogue.find(model)


def connection(page: gr.Request) -> HttpRequest:
    """The request itself, with all that the server knows of it."""
    assert page.request is not None  # Gradio makes one without only where there is no server
    return page.request


def visitor() -> gr.Request:
    """Who opens the page, where Gradio tells it by no argument."""
    page = LocalContext.request.get()
    assert page is not None  # only handlers ask
    return page
