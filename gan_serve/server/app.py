"""The ASGI application: the routing table and the middleware."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gan_serve.server.api.operations import Operations
from gan_serve.server.api.v1 import READING, V1Api
from gan_serve.server.api.v2 import InferenceProtocol
from gan_serve.server.errors import ApiError
from gan_serve.server.middleware import RequestMiddleware
from gan_serve.server.request_context import context_of
from gan_serve.server.service import Service

_EXPOSED = ["ETag", "Retry-After", "X-Request-ID"] + [
    f"Gan-Serve-{name}" for name in ("Model", "Version", "Sha256", "Provider", "Seed", "Numbers")
]
_MODEL = "/v2/models/{name}"


def make_app(service: Service) -> ASGIApp:
    """Return the application. Its routes validate requests against each model's metadata, not against type hints."""
    v1, v2, operations = V1Api(service), InferenceProtocol(service), Operations(service)
    routes = [
        Route("/v1/models/{name}/generate", _Endpoint(v1.generate, v1.methods)),
        _route(f"{_MODEL}/infer", v2.infer, "POST"),
        _route(f"{_MODEL}/versions/{{version}}/infer", v2.infer, "POST"),
        _route("/v1/models", v1.models),
        _route("/v1/models/{name}", v1.model),
        _route("/v1/health", operations.health),
        _route("/v1/admin/reload", operations.reload, "POST"),
        _route("/metrics", operations.metrics),
        _route("/openapi.json", operations.openapi),
        _route("/docs", operations.docs),
        _route("/v2", v2.server),
        _route("/v2/health/live", v2.live),
        _route("/v2/health/ready", v2.ready),
        _route("/v2/repository/index", v2.index, "POST"),
        _route(_MODEL, v2.model),
        _route(f"{_MODEL}/ready", v2.model_ready),
        _route(f"{_MODEL}/versions/{{version}}", v2.model),
        _route(f"{_MODEL}/versions/{{version}}/ready", v2.model_ready),
    ]
    app = _App(routes=routes)
    app.router.default = _unknown_route
    if service.settings.demo:
        from gan_serve.demo.mount import mount_demo

        mount_demo(app, service)
    wrapped = RequestMiddleware(app, service)
    origins = [origin.strip() for origin in service.settings.cors_origins.split(",") if origin.strip()]
    return CORSMiddleware(wrapped, origins, ["GET", "POST"], ["*"], expose_headers=_EXPOSED) if origins else wrapped


async def _unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise ApiError(
        HTTPStatus.NOT_FOUND, f"Not Found: no such route; see {context_of(scope).prefix}/docs for all routes"
    )


class _App(Starlette):
    """Starlette without its own middleware, which costs more than its routing: `RequestMiddleware` handles errors."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router alone."""
        return self.router


Handler = Callable[[HttpRequest], Awaitable[Response]]


class _Endpoint:
    """A handler as an ASGI application, without the wrappers that Starlette adds to functions."""

    def __init__(self, handler: Handler, methods: Callable[[HttpRequest], Sequence[str]]) -> None:
        self._handler, self._methods = handler, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        response = await (
            self._handler(request) if scope["method"] in self._methods(request) else self._other_method(request)
        )
        await response(scope, receive, send)

    async def _other_method(self, request: HttpRequest) -> Response:
        """Answer OPTIONS with the allowed methods, and other methods with an error that names them."""
        allowed = ", ".join([*self._methods(request), "OPTIONS"])
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allowed})
        message = f"{request.method} is not allowed for this route; use {allowed}"
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": allowed})


def _route(path: str, handler: Handler, *methods: str) -> Route:
    return Route(path, _Endpoint(handler, lambda _: methods or READING))
