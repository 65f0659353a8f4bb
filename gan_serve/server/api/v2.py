"""The Open Inference Protocol, version 2, which clients of Triton and KServe speak: callers bring all inputs."""

import asyncio
import time

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

import gan_serve
from gan_serve.sampling import Arrays
from gan_serve.server.api.v1 import version_asked
from gan_serve.server.api.v1_parsing import LARGE, read_body
from gan_serve.server.api.v2_codec import DATATYPES, InferRequest, decode_request, encode_response
from gan_serve.server.errors import unavailable
from gan_serve.server.request_context import context_of
from gan_serve.server.responses import json_reply
from gan_serve.server.scheduling.batching import infer_each
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.task import CancellableFuture, Task
from gan_serve.server.service import Service
from gan_serve.tensors import Tensor

_HEADER_LENGTH = "Inference-Header-Content-Length"

Body = tuple[bytes, int | None]  # and where its bytes begin


class InferenceProtocol:
    """The routes of the protocol."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, request: HttpRequest) -> Response:
        """What speaks."""
        return json_reply(
            {
                "name": "gan-serve",
                "version": gan_serve.__version__,
                "extensions": ["binary_tensor_data", "model_repository"],
            }
        )

    async def live(self, request: HttpRequest) -> Response:
        """Whether the process answers."""
        return json_reply({"live": True})

    async def ready(self, request: HttpRequest) -> Response:
        """Whether every model is loaded and warm, and models run."""
        state = self._service.state
        if state != "ready":
            raise unavailable(f"the server is {state}")
        return json_reply({"ready": True})

    async def index(self, request: HttpRequest) -> Response:
        """Every version of every model."""
        catalogue = self._service.library.catalogue
        return json_reply(
            [
                {
                    "name": name,
                    "version": str(version),
                    "state": state,
                    "reason": catalogue.failures.get((name, version), ""),
                }
                for (name, version), state in sorted(_states(self._service).items())
            ]
        )

    async def model(self, request: HttpRequest) -> Response:
        """The tensors of a model."""
        lane = self._lane(request)
        metadata = lane.metadata
        versions = self._service.library.catalogue.versions(metadata.name)
        return json_reply(
            {
                "name": metadata.name,
                "versions": [str(version) for version in versions],
                "platform": "onnxruntime_onnx",
                "inputs": [_described(tensor) for tensor in metadata.inputs],
                "outputs": [_described(tensor) for tensor in metadata.outputs],
            }
        )

    async def model_ready(self, request: HttpRequest) -> Response:
        """Whether a model can be asked."""
        metadata = self._lane(request).metadata
        return json_reply({"name": metadata.name, "ready": True})

    async def infer(self, request: HttpRequest) -> Response:
        """Run a model."""
        settings, note = self._service.settings, context_of(request.scope)
        lane = self._lane(request)
        note.model = lane.metadata.name
        asked = await read_body(request), request.headers.get(_HEADER_LENGTH), lane.metadata, settings
        frame = decode_request(*asked) if len(asked[0]) <= LARGE else await asyncio.to_thread(decode_request, *asked)
        del asked  # numbers in JSON are kept as arrays only
        deadline = note.began + settings.deadline
        if frame.timeout:
            deadline = min(deadline, time.monotonic() + frame.timeout)
        content, length = await self._service.engine.answer(lane, _infer_call(lane, frame, deadline), note)
        headers = {} if length is None else {_HEADER_LENGTH: str(length)}
        media_type = "application/json" if length is None else "application/octet-stream"
        return Response(content, headers=headers, media_type=media_type)

    def _lane(self, request: HttpRequest) -> ModelQueue:
        return self._service.library.catalogue.find(request.path_params["name"], version_asked(request))


def _infer_call(lane: ModelQueue, frame: InferRequest, deadline: float) -> Task:
    """Images of any size are made one after the other, as long as somebody waits."""
    promise = CancellableFuture()

    def prepare() -> Arrays:
        return {} if lane.metadata.any_size else frame.feeds

    def finish(outputs: Arrays) -> Body:
        if lane.metadata.any_size:
            outputs = infer_each(lane.generator, frame.feeds, promise.check)
        return encode_response(frame, lane.metadata, outputs)

    return Task(frame.rows, deadline, prepare, finish, promise)


def _states(service: Service) -> dict[tuple[str, int], str]:
    catalogue = service.library.catalogue
    states = dict.fromkeys(catalogue.expected, "LOADING")
    states.update(dict.fromkeys(catalogue.failures, "UNAVAILABLE"))
    states.update(dict.fromkeys(catalogue.lanes, "READY"))
    return states


def _described(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": DATATYPES[tensor.dtype], "shape": [-1, *tensor.shape]}
