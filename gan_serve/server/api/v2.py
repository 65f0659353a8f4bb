"""The Open Inference Protocol, version 2, as spoken by clients of Triton and KServe. Clients send every tensor."""

import asyncio
import time

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

import gan_serve
from gan_serve.sampling import Arrays
from gan_serve.server.api.v1 import requested_version
from gan_serve.server.api.v1_parsing import LARGE, read_body
from gan_serve.server.api.v2_codec import DATATYPES, InferRequest, decode_request, encode_response
from gan_serve.server.errors import unavailable
from gan_serve.server.request_context import context_of
from gan_serve.server.responses import json_response
from gan_serve.server.scheduling.batching import infer_each
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.task import CancellableFuture, Task
from gan_serve.server.service import Service
from gan_serve.tensors import Tensor

_HEADER_LENGTH = "Inference-Header-Content-Length"

Body = tuple[bytes, int | None]  # and the offset of the binary tensors, if there are any


class InferenceProtocol:
    """The routes under /v2."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, request: HttpRequest) -> Response:
        """Return the server's name, version and extensions."""
        return json_response(
            {
                "name": "gan-serve",
                "version": gan_serve.__version__,
                "extensions": ["binary_tensor_data", "model_repository"],
            }
        )

    async def live(self, request: HttpRequest) -> Response:
        """Report that the process runs."""
        return json_response({"live": True})

    async def ready(self, request: HttpRequest) -> Response:
        """Report whether every model is loaded and models run."""
        state = self._service.state
        if state != "ready":
            raise unavailable(f"the server is {state}")
        return json_response({"ready": True})

    async def index(self, request: HttpRequest) -> Response:
        """List every version of every model, with its state."""
        catalogue = self._service.library.catalogue
        return json_response(
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
        """Return the versions and tensors of a model."""
        queue = self._queue(request)
        metadata = queue.metadata
        versions = self._service.library.catalogue.versions(metadata.name)
        return json_response(
            {
                "name": metadata.name,
                "versions": [str(version) for version in versions],
                "platform": "onnxruntime_onnx",
                "inputs": [_description(tensor) for tensor in metadata.inputs],
                "outputs": [_description(tensor) for tensor in metadata.outputs],
            }
        )

    async def model_ready(self, request: HttpRequest) -> Response:
        """Report whether a model is in service."""
        metadata = self._queue(request).metadata
        return json_response({"name": metadata.name, "ready": True})

    async def infer(self, request: HttpRequest) -> Response:
        """Run a model."""
        settings, context = self._service.settings, context_of(request.scope)
        queue = self._queue(request)
        context.model = queue.metadata.name
        arguments = await read_body(request), request.headers.get(_HEADER_LENGTH), queue.metadata, settings
        large = len(arguments[0]) > LARGE
        infer_request = await asyncio.to_thread(decode_request, *arguments) if large else decode_request(*arguments)
        del arguments  # frees the body, which `infer_request` holds as arrays
        deadline = context.started + settings.deadline
        if infer_request.timeout:
            deadline = min(deadline, time.monotonic() + infer_request.timeout)
        task = _infer_task(queue, infer_request, deadline)
        content, length = await self._service.scheduler.run(queue, task, context)
        headers = {} if length is None else {_HEADER_LENGTH: str(length)}
        media_type = "application/json" if length is None else "application/octet-stream"
        return Response(content, headers=headers, media_type=media_type)

    def _queue(self, request: HttpRequest) -> ModelQueue:
        return self._service.library.catalogue.find(request.path_params["name"], requested_version(request))


def _infer_task(queue: ModelQueue, infer_request: InferRequest, deadline: float) -> Task:
    """Return the task of a request. Models of any size run row by row, until the task is cancelled."""
    future = CancellableFuture()

    def prepare() -> Arrays:
        return {} if queue.metadata.any_size else infer_request.feeds

    def finish(outputs: Arrays) -> Body:
        if queue.metadata.any_size:
            outputs = infer_each(queue.generator, infer_request.feeds, future.check)
        return encode_response(infer_request, queue.metadata, outputs)

    return Task(infer_request.rows, deadline, prepare, finish, future)


def _states(service: Service) -> dict[tuple[str, int], str]:
    catalogue = service.library.catalogue
    states = dict.fromkeys(catalogue.expected, "LOADING")
    states.update(dict.fromkeys(catalogue.failures, "UNAVAILABLE"))
    states.update(dict.fromkeys(catalogue.queues, "READY"))
    return states


def _description(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": DATATYPES[tensor.dtype], "shape": [-1, *tensor.shape]}
