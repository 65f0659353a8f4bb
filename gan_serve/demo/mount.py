"""Adds the demo to the server, behind all other routes and the same middleware."""

import re
from pathlib import Path

import gradio as gr
from gradio.route_utils import FnIndexInferError
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan_serve.demo.client import DemoClient
from gan_serve.demo.errors import NO_UPLOADS
from gan_serve.demo.gallery import examples_of, sample_of
from gan_serve.demo.page import make_page
from gan_serve.server.errors import ApiError
from gan_serve.server.request_context import context_of
from gan_serve.server.responses import error_response, reason_of
from gan_serve.server.service import Service

_FOLDER = Path(__file__).parent
_SESSIONS = 256  # visitors whose components are kept; older pages must be reloaded
# Gradio's page needs inline scripts, and nothing from other hosts.
_POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
# The Gradio routes that the page and its clients use. Others upload, serve or fetch files.
_ROUTES = re.compile(
    r"/|/config|/theme\.css|/favicon\.ico|/(assets|static)/.+"
    r"|/gradio_api/(info|cancel|run/\w+|queue/(join|data)|call/(v2/)?\w+(/\w+)?)"
)
_FONTS = ["system-ui", "sans-serif"]


def mount_demo(app: Starlette, service: Service) -> None:
    """Add the demo to the server's routes."""
    client = DemoClient(service)
    files = _Files(client)
    app.router.routes += [
        Route("/demo/samples/{name}", files.sample),
        Route("/demo/examples/{name}/{number:int}/{file}", files.example),
    ]
    page = make_page(client)
    page.state_session_capacity = _SESSIONS
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=gr.themes.Default(primary_hue="indigo", font=_FONTS, font_mono=["ui-monospace", "monospace"]),
        css=(_FOLDER / "style.css").read_text(),
        head=f"<script>{(_FOLDER / 'page.js').read_text()}</script>",
        footer_links=["api", "settings"],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        enable_monitoring=False,
    )
    # As the router's default, not as a route: that would also match requests to the server's routes by other methods.
    mounted = app.router.routes.pop()
    assert isinstance(mounted, Mount)
    assert isinstance(mounted.app, Starlette)
    for error in (FnIndexInferError, KeyError):  # from Gradio's own look-ups: handlers raise DemoError
        mounted.app.add_exception_handler(error, _unknown_function)
    app.router.default = _without_api_routes(_confined(mounted.app), app.router.default)


class _Files:
    """Routes for images in the models folder. Names are looked up among the served models and never become a path."""

    def __init__(self, client: DemoClient) -> None:
        self._client = client

    async def sample(self, request: HttpRequest) -> Response:
        """Return a model's sample image."""
        path = sample_of(self._client.root, self._model(request))
        if path is None:
            raise ApiError(404, "this model has no sample")
        return FileResponse(path)

    async def example(self, request: HttpRequest) -> Response:
        """Return one of a model's example inputs."""
        paths = examples_of(self._client.root, self._model(request))
        number = request.path_params["number"]
        if number >= len(paths):
            raise ApiError(404, "this model has no such example")
        return FileResponse(paths[number])

    def _model(self, request: HttpRequest) -> str:
        return self._client.metadata(request.path_params["name"]).name


async def _unknown_function(request: HttpRequest, error: Exception) -> Response:
    """Report an unknown function, as called by a page that is older than the server's last start."""
    return error_response(context_of(request.scope), ApiError(404, "no such function; reload the page"))


def _without_api_routes(demo: ASGIApp, not_found: ASGIApp) -> ASGIApp:
    """Wrap the demo so that unknown routes of the APIs are reported by the server."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await (not_found if scope["path"].startswith(("/v1/", "/v2/")) else demo)(scope, receive, send)

    return dispatch


def _confined(app: ASGIApp) -> ASGIApp:
    """Wrap Gradio's application: allow only `_ROUTES`, and let pages load nothing from other hosts.

    Gradio answers every error of a handler with 500; replace that with the error's own status.
    """

    async def confined(scope: Scope, receive: Receive, send: Send) -> None:
        if not _ROUTES.fullmatch(scope["path"]):
            raise ApiError(404, f"no such route: {NO_UPLOADS}")
        context = context_of(scope)

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 500 and context.error_status:
                    message["status"], context.reason = context.error_status, reason_of(context.error_status)
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
            await send(message)

        await app({**scope, "root_path": context.prefix, "path": context.prefix + scope["path"]}, receive, with_policy)

    return confined
