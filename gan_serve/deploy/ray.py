"""A Ray Serve application: the routes of `gan-serve serve`, on any number of replicas.

    serve run gan_serve.deploy.ray:app models=/mnt/models replicas=4

Each replica runs the application of `gan-serve serve` with its own scheduler. Ray sends a request to one replica, and
responds with 500 if that replica dies. Since requests are deterministic, the front retries them on another replica, and
clients notice nothing.
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

_ATTEMPTS = 3  # replicas that one request may bring down: a deadly request must not kill all
_DEATHS = (RayActorError, ObjectLostError)  # of a busy replica, and of a node that held the reply
_WAIT = 0.5  # seconds between checks whether a stopping replica is idle, and for its scheduler to stop


class Arguments(Settings):
    """The server's settings, and the cluster's. Ray configures the host and the port itself."""

    replicas: int | Literal["auto"] = Field("auto", description="Number of replicas; auto: by Ray's autoscaling.")
    fronts: int = Field(1, ge=1, description="Processes that forward requests to replicas.")
    num_cpus: float = Field(1, gt=0, description="Processors per replica; each runs one request at a time.")
    num_gpus: float = Field(0, ge=0, description="GPUs per replica; set the device to cuda as well.")


class Replica:
    """A replica of the application of `gan-serve serve`, with all models.

    Raises:
        Failure: A model cannot be served.
    """

    def __init__(self, arguments: Arguments) -> None:
        logs.configure(arguments.log_level)
        self._service = Service(arguments, workers=math.ceil(arguments.num_cpus))
        catalogue = self._service.library.reload()
        if not self._service.ready:
            reasons = sorted(set(catalogue.failures.values())) or ["no models in the folder"]
            raise Failure(f"not every model can be served: {'; '.join(reasons)}")
        self._app = make_app(self._service)

    async def answer(self, request: ForwardedRequest) -> Reply:
        """Return the application's reply."""
        return await exchange(self._app, request)

    async def answer_by_name(self, request: ForwardedRequest) -> tuple[str, Reply]:
        """Return the replica's name and the application's reply."""
        return serve.get_replica_context().replica_id.unique_id, await self.answer(request)

    async def check_health(self) -> None:
        """Run the quickest model. Ray replaces a replica that fails or takes too long."""
        if trial := self._service.library.try_quickest():
            await asyncio.wrap_future(trial)

    def __del__(self) -> None:
        """Stop the scheduler. Ray calls this after the last request."""
        self._service.draining = True
        self._service.scheduler.stop(_WAIT)


class Front:
    """Forwards requests to replicas, and retries on another replica if one dies."""

    def __init__(self, replicas: DeploymentHandle, arguments: Arguments) -> None:
        self._replicas, self._settings = replicas, arguments

    async def __call__(self, request: Request) -> Response:
        context = make_context(request.scope)
        try:
            async with asyncio.timeout(self._settings.deadline):
                reply = await self._answer(await read_request(request, self._settings.max_body))
        except TimeoutError:
            return error_response(context, DeadlineExceeded())
        except ApiError as error:
            return error_response(context, error)
        response = Response(reply.body, reply.status)
        response.raw_headers = [each for each in reply.headers if each[0] != b"x-request-id"]  # Ray adds the same
        return response

    async def _answer(self, request: ForwardedRequest) -> Reply:
        for _ in range(_ATTEMPTS):
            try:
                return await self._forward(request)
            except _DEATHS:
                continue
            except DeploymentUnavailableError:
                raise unavailable("no replica can be started; see the cluster's log") from None
        raise unavailable(f"{_ATTEMPTS} replicas died while processing this request")

    async def _forward(self, request: ForwardedRequest) -> Reply:
        """Send a request to one replica, which Ray chooses, or a request for metrics to all replicas."""
        if request.scope["path"] != "/metrics":
            reply: Reply = await self._replicas.answer.remote(request)
            return reply
        replies = dict(await self._replicas.broadcast("answer_by_name", request).results_async())
        if not replies:
            raise unavailable("no replica is ready")
        return join_replies(replies)


def app(arguments: dict[str, Any]) -> serve.Application:
    """Build the application for `serve run` and `serve build`. The arguments are the fields of `Arguments`.

    Raises:
        UsageError: An argument does not exist, or a value is invalid.
    """
    known = load_settings(Arguments, **arguments)
    if known.admin_token.get_secret_value():
        raise UsageError("a reload would reach only one replica; leave out admin_token, and deploy again instead")
    shutdown = {"graceful_shutdown_timeout_s": known.grace, "graceful_shutdown_wait_loop_s": _WAIT}
    replicas = serve.deployment(
        Replica,
        num_replicas=known.replicas,
        ray_actor_options={"num_cpus": known.num_cpus, "num_gpus": known.num_gpus},
        max_ongoing_requests=2 * known.concurrency,  # more than a replica accepts: it rejects the excess at once
        **shutdown,
    )
    fronts = serve.deployment(
        Front,
        num_replicas=known.fronts,
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=known.connections,
        max_queued_requests=known.connections,
        **shutdown,
    )
    return fronts.bind(replicas.bind(known), known)
