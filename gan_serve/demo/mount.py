"""Where the demo joins the server: behind all other routes, and behind the same gate."""

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
from gan_serve.server.responses import error_reply, reason_of
from gan_serve.server.service import Service

_FOLDER = Path(__file__).parent
_SESSIONS = 256  # visitors whose components are remembered; the page of an older one has to be opened again
# Gradio's page needs scripts within itself, and nothing from anywhere else.
_POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
# Those of Gradio's routes that the page and its clients use; others take files, give them, or fetch them elsewhere.
_ROUTES = re.compile(
    r"/|/config|/theme\.css|/favicon\.ico|/(assets|static)/.+"
    r"|/gradio_api/(info|cancel|run/\w+|queue/(join|data)|call/(v2/)?\w+(/\w+)?)"
)
_FONTS = ["system-ui", "sans-serif"]


def mount_demo(app: Starlette, service: Service) -> None:
    """Add the demo to the server's routes."""
    studio = DemoClient(service)
    files = _Files(studio)
    app.router.routes += [
        Route("/demo/samples/{name}", files.sample),
        Route("/demo/examples/{name}/{number:int}/{file}", files.example),
    ]
    page = make_page(studio)
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
    # As what is left over, not as a route: that would take what comes by another method than a route of the server's.
    mounted = app.router.routes.pop()
    assert isinstance(mounted, Mount)
    assert isinstance(mounted.app, Starlette)
    for error in (FnIndexInferError, KeyError):  # from Gradio's own look-ups: handlers tell theirs in words
        mounted.app.add_exception_handler(error, _unknown_function)
    app.router.default = _beside_the_api(_confined(mounted.app), app.router.default)


class _Files:
    """Images that lie beside the models. Names are looked up among what is served; they never become a path."""

    def __init__(self, studio: DemoClient) -> None:
        self._studio = studio

    async def sample(self, request: HttpRequest) -> Response:
        """The image beside a model's card."""
        path = sample_of(self._studio.root, self._model(request))
        if path is None:
            raise ApiError(404, "this model has no sample")
        return FileResponse(path)

    async def example(self, request: HttpRequest) -> Response:
        """An image to try a model with."""
        paths = examples_of(self._studio.root, self._model(request))
        number = request.path_params["number"]
        if number >= len(paths):
            raise ApiError(404, "this model has no such example")
        return FileResponse(paths[number])

    def _model(self, request: HttpRequest) -> str:
        return self._studio.metadata(request.path_params["name"]).name


async def _unknown_function(request: HttpRequest, error: Exception) -> Response:
    """The answer to a call of nothing, such as by a page that was opened before the server was started again."""
    return error_reply(context_of(request.scope), ApiError(404, "there is no such function; load the page again"))


def _beside_the_api(demo: ASGIApp, refuse: ASGIApp) -> ASGIApp:
    """The demo, but for the routes that the server's APIs do not have."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        await (refuse if scope["path"].startswith(("/v1/", "/v2/")) else demo)(scope, receive, send)

    return choose


def _confined(app: ASGIApp) -> ASGIApp:
    """The same application, of which only `_ROUTES` are there, and whose pages load nothing from elsewhere.

    Gradio answers 500 to whatever its handlers refuse; the status is that of the refusal.
    """

    async def confined(scope: Scope, receive: Receive, send: Send) -> None:
        if not _ROUTES.fullmatch(scope["path"]):
            raise ApiError(404, f"there is no such route, and {NO_UPLOADS}")
        note = context_of(scope)

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 500 and note.refused:
                    message["status"], note.reason = note.refused, reason_of(note.refused)
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
            await send(message)

        await app({**scope, "root_path": note.prefix, "path": note.prefix + scope["path"]}, receive, with_policy)

    return confined
