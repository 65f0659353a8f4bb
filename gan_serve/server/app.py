"""The routes, put together."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp

from gan_serve.errors import GanServeError
from gan_serve.server.gate import Gate
from gan_serve.server.operations import Operations
from gan_serve.server.plain import Plain
from gan_serve.server.protocol import Protocol
from gan_serve.server.refusals import Refusal
from gan_serve.server.replies import answer_error
from gan_serve.server.service import Service

_EXPOSED = ["ETag", "Retry-After", "X-Request-ID"] + [
    f"Gan-Serve-{name}" for name in ("Model", "Version", "Sha256", "Provider", "Seed")
]
_MODEL = "/v2/models/{name}"


def make_app(service: Service) -> ASGIApp:
    """The whole application. Its routes take requests as they are: each model's metadata says what may be in them."""
    plain, protocol, operations = Plain(service), Protocol(service), Operations(service)
    routes = [
        Route("/v1/models/{name}/generate", plain.generate, methods=["GET", "POST"]),
        Route(f"{_MODEL}/infer", protocol.infer, methods=["POST"]),
        Route(f"{_MODEL}/versions/{{version}}/infer", protocol.infer, methods=["POST"]),
        Route("/v1/models", plain.models),
        Route("/v1/models/{name}", plain.model),
        Route("/v1/health", operations.health),
        Route("/v1/admin/reload", operations.reload, methods=["POST"]),
        Route("/metrics", operations.metrics),
        Route("/openapi.json", operations.openapi),
        Route("/docs", operations.docs),
        Route("/v2", protocol.server),
        Route("/v2/health/live", protocol.live),
        Route("/v2/health/ready", protocol.ready),
        Route("/v2/repository/index", protocol.index, methods=["POST"]),
        Route(_MODEL, protocol.model),
        Route(f"{_MODEL}/ready", protocol.model_ready),
        Route(f"{_MODEL}/versions/{{version}}", protocol.model),
        Route(f"{_MODEL}/versions/{{version}}/ready", protocol.model_ready),
    ]
    handlers = dict.fromkeys((Refusal, GanServeError, HTTPException, Exception), answer_error)
    app = Starlette(routes=routes, exception_handlers=handlers)
    if service.settings.demo:
        from gan_serve.demo.mount import mount_demo

        mount_demo(app, service)
    gate = Gate(app, service)
    origins = [origin.strip() for origin in service.settings.cors_origins.split(",") if origin.strip()]
    return CORSMiddleware(gate, origins, ["GET", "POST"], ["*"], expose_headers=_EXPOSED) if origins else gate
