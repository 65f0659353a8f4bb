"""A Ray Serve application: the server's own routes, answered by any number of replicas.

    serve run gan_serve.deploy.ray:app models=/mnt/models replicas=4

Each replica runs the application of `gan-serve serve` with an engine of its own. Ray sends a request to one replica and
answers 500 if that one dies meanwhile. Since the same request has the same answer, the front before the replicas hands
it to another one then, and nobody notices.
"""

import asyncio
import math
from typing import Any, Literal

from pydantic import Field
from ray import serve
from ray.exceptions import ObjectLostError, RayActorError
from ray.serve.exceptions import DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from starlette.requests import Request
from starlette.responses import Response

from gan_serve.deploy.transport import ForwardedRequest, Reply, exchange, join_replies, read_request
from gan_serve.errors import Failure, UsageError
from gan_serve.server import logs
from gan_serve.server.app import make_app
from gan_serve.server.errors import ApiError, DeadlineExceeded, unavailable
from gan_serve.server.request_context import make_context
from gan_serve.server.responses import error_response
from gan_serve.server.service import Service
from gan_serve.server.settings import Settings, load_settings

_ATTEMPTS = 3  # replicas that one request may meet dying, so that one that kills them does not kill all
_DEATHS = (RayActorError, ObjectLostError)  # of a replica at work, and of a node that still held the answer
_WAIT = 0.5  # seconds between two looks at whether a replica that is to end has answered everything, and for its end


class Arguments(Settings):
    """The settings of the server, and what it takes of a cluster. Ray has a host and a port of its own."""

    replicas: int | Literal["auto"] = Field("auto", description="How many; auto: by Ray's autoscaling.")
    fronts: int = Field(1, ge=1, description="Processes that hand requests to replicas.")
    num_cpus: float = Field(1, gt=0, description="Processors of a replica, each of which runs one request at a time.")
    num_gpus: float = Field(0, ge=0, description="GPUs of a replica; name the device cuda with it.")


class Replica:
    """All models, and the application of `gan-serve serve` before them.

    Raises:
        Failure: a model cannot be served.
    """

    def __init__(self, arguments: Arguments) -> None:
        logs.configure(arguments.log_level)
        self._service = Service(arguments, workers=math.ceil(arguments.num_cpus))
        catalogue = self._service.library.reload()
        if not self._service.ready:
            reasons = sorted(set(catalogue.failures.values())) or ["no models in the folder"]
            raise Failure(f"not every model can be served: {'; '.join(reasons)}")
        self._app = make_app(self._service)

    async def answer(self, asked: ForwardedRequest) -> Reply:
        """What the application says."""
        return await exchange(self._app, asked)

    async def answer_by_name(self, asked: ForwardedRequest) -> tuple[str, Reply]:
        """The same, and who says it."""
        return serve.get_replica_context().replica_id.unique_id, await self.answer(asked)

    async def check_health(self) -> None:
        """Let the engine run the quickest model; Ray replaces a replica that fails or does not end in time."""
        if trial := self._service.library.try_quickest():
            await asyncio.wrap_future(trial)

    def __del__(self) -> None:
        """Ray has let the last request end."""
        self._service.draining = True
        self._service.scheduler.stop(_WAIT)


class Front:
    """Hands requests to replicas, and once more to another one where a replica dies."""

    def __init__(self, replicas: DeploymentHandle, arguments: Arguments) -> None:
        self._replicas, self._settings = replicas, arguments

    async def __call__(self, request: Request) -> Response:
        note = make_context(request.scope)
        try:
            async with asyncio.timeout(self._settings.deadline):
                reply = await self._answer(await read_request(request, self._settings.max_body))
        except TimeoutError:
            return error_response(note, DeadlineExceeded())
        except ApiError as refusal:
            return error_response(note, refusal)
        response = Response(reply.body, reply.status)
        response.raw_headers = [each for each in reply.headers if each[0] != b"x-request-id"]  # Ray adds the same
        return response

    async def _answer(self, asked: ForwardedRequest) -> Reply:
        for _ in range(_ATTEMPTS):
            try:
                return await self._ask(asked)
            except _DEATHS:
                continue
            except DeploymentUnavailableError:
                raise unavailable("no replica can be started; the log of the cluster says why") from None
        raise unavailable(f"{_ATTEMPTS} replicas died while they answered this")

    async def _ask(self, asked: ForwardedRequest) -> Reply:
        """One replica, which Ray chooses; for metrics, each of them."""
        if asked.scope["path"] != "/metrics":
            reply: Reply = await self._replicas.answer.remote(asked)
            return reply
        replies = dict(await self._replicas.broadcast("answer_by_name", asked).results_async())
        if not replies:
            raise unavailable("no replica is ready")
        return join_replies(replies)


def app(arguments: dict[str, Any]) -> serve.Application:
    """The application, for `serve run` and `serve build`; the arguments are the fields of `Arguments`.

    Raises:
        UsageError: an argument that does not exist, or a value that cannot be.
    """
    known = load_settings(Arguments, **arguments)
    if known.admin_token.get_secret_value():
        raise UsageError("one replica alone would reload; leave out admin_token, and deploy again instead")
    patience = {"graceful_shutdown_timeout_s": known.grace, "graceful_shutdown_wait_loop_s": _WAIT}
    replicas = serve.deployment(
        Replica,
        num_replicas=known.replicas,
        ray_actor_options={"num_cpus": known.num_cpus, "num_gpus": known.num_gpus},
        max_ongoing_requests=2 * known.concurrency,  # more than a replica takes, so that it is who refuses, and at once
        **patience,
    )
    fronts = serve.deployment(
        Front,
        num_replicas=known.fronts,
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=known.connections,
        max_queued_requests=known.connections,
        **patience,
    )
    return fronts.bind(replicas.bind(known), known)
