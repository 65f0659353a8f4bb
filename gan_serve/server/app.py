"""The routes, put together."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gan_serve.server.api.operations import Operations
from gan_serve.server.api.v1 import READING, PlainApi
from gan_serve.server.api.v2 import InferenceProtocol
from gan_serve.server.errors import ApiError
from gan_serve.server.middleware import RequestMiddleware
from gan_serve.server.request_context import context_of
from gan_serve.server.service import Service

_EXPOSED = ["ETag", "Retry-After", "X-Request-ID"] + [
    f"Gan-Serve-{name}" for name in ("Model", "Version", "Sha256", "Provider", "Seed")
]
_MODEL = "/v2/models/{name}"


def make_app(service: Service) -> ASGIApp:
    """The whole application. Its routes take requests as they are: each model's metadata says what may be in them."""
    plain, protocol, operations = PlainApi(service), InferenceProtocol(service), Operations(service)
    routes = [
        Route("/v1/models/{name}/generate", _Endpoint(plain.generate, plain.methods)),
        _route(f"{_MODEL}/infer", protocol.infer, "POST"),
        _route(f"{_MODEL}/versions/{{version}}/infer", protocol.infer, "POST"),
        _route("/v1/models", plain.models),
        _route("/v1/models/{name}", plain.model),
        _route("/v1/health", operations.health),
        _route("/v1/admin/reload", operations.reload, "POST"),
        _route("/metrics", operations.metrics),
        _route("/openapi.json", operations.openapi),
        _route("/docs", operations.docs),
        _route("/v2", protocol.server),
        _route("/v2/health/live", protocol.live),
        _route("/v2/health/ready", protocol.ready),
        _route("/v2/repository/index", protocol.index, "POST"),
        _route(_MODEL, protocol.model),
        _route(f"{_MODEL}/ready", protocol.model_ready),
        _route(f"{_MODEL}/versions/{{version}}", protocol.model),
        _route(f"{_MODEL}/versions/{{version}}/ready", protocol.model_ready),
    ]
    app = _App(routes=routes)
    app.router.default = _unknown_route
    if service.settings.demo:
        from gan_serve.demo.mount import mount_demo

        mount_demo(app, service)
    gate = RequestMiddleware(app, service)
    origins = [origin.strip() for origin in service.settings.cors_origins.split(",") if origin.strip()]
    return CORSMiddleware(gate, origins, ["GET", "POST"], ["*"], expose_headers=_EXPOSED) if origins else gate


async def _unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise ApiError(
        HTTPStatus.NOT_FOUND, f"Not Found: there is no such route; {context_of(scope).prefix}/docs lists them"
    )


class _App(Starlette):
    """Starlette without its own layers, since the gate answers errors: they cost more than the rest of its routing."""

    def build_middleware_stack(self) -> ASGIApp:
        """What a request passes before it meets the routes: nothing."""
        return self.router


Answer = Callable[[HttpRequest], Awaitable[Response]]


class _Endpoint:
    """A function that answers a request, as an application of its own, without Starlette's layers around it."""

    def __init__(self, answer: Answer, methods: Callable[[HttpRequest], Sequence[str]]) -> None:
        self._answer, self._methods = answer, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        response = await (self._answer(request) if scope["method"] in self._methods(request) else self._refuse(request))
        await response(scope, receive, send)

    async def _refuse(self, request: HttpRequest) -> Response:
        """What another method gets: the names of those that there are, as the answer to OPTIONS or as a refusal."""
        allowed = ", ".join([*self._methods(request), "OPTIONS"])
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allowed})
        message = f"{request.method} is no method of this route; use {allowed}"
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": allowed})


def _route(path: str, answer: Answer, *methods: str) -> Route:
    return Route(path, _Endpoint(answer, lambda _: methods or READING))
