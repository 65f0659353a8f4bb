"""For those who run the server, or write a client: health, metrics, reload, documentation."""

import asyncio
import logging
import time

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.server.api.openapi import describe
from gan_serve.server.auth import admin_keys
from gan_serve.server.errors import ApiError
from gan_serve.server.library import Catalogue
from gan_serve.server.request_context import context_of
from gan_serve.server.responses import json_reply
from gan_serve.server.service import Service

_log = logging.getLogger(__name__)


class Operations:
    """The routes that are no model's."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._keys = admin_keys(service.settings)

    async def health(self, request: HttpRequest) -> Response:
        """The state in one word, and what runs where; 503 where the server should not be asked."""
        catalogue = self._service.library.catalogue
        state = self._service.state
        document = {"state": state, "version": gan_serve.__version__, **_models(catalogue)}
        return json_reply(document, 200 if state == "ready" else 503)

    async def metrics(self, request: HttpRequest) -> Response:
        """The page that Prometheus reads."""
        lanes = self._service.library.catalogue.lanes
        waiting = ((name, lane.rows) for (name, _), lane in lanes.items())
        content = self._service.metrics.render(self._service.in_progress, waiting)
        return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: HttpRequest) -> Response:
        """The document that describes the plain API for the models that are served now."""
        return json_reply(describe(self._service, context_of(request.scope).prefix))

    async def docs(self, request: HttpRequest) -> Response:
        """The page that shows that document, and tries it out."""
        return get_swagger_ui_html(openapi_url=f"{context_of(request.scope).prefix}/openapi.json", title="gan-serve")

    async def reload(self, request: HttpRequest) -> Response:
        """Pick up new and changed models; 409 where one is broken, and its old version goes on serving."""
        if not self._keys:
            raise ApiError(404, "there is no administration without a token; set GAN_SERVE_ADMIN_TOKEN")
        self._keys.check(request.scope)
        began = time.monotonic()
        try:
            catalogue = await asyncio.to_thread(self._service.library.reload)
        except UsageError as error:
            _log.error("not reloaded: %s", error)
            message = "the models folder cannot be read; what was loaded goes on serving, and the log says more"
            raise ApiError(409, message) from None
        document = {"seconds": round(time.monotonic() - began, 3), **_models(catalogue)}
        return json_reply(document, 409 if catalogue.failures else 200)


def _models(catalogue: Catalogue) -> dict[str, object]:
    models = [
        {"name": name, "version": version, "sha256": lane.generator.sha256, "provider": lane.generator.device}
        for (name, version), lane in sorted(catalogue.lanes.items())
    ]
    failures = [
        {"name": name, "version": version, "error": reason}
        for (name, version), reason in sorted(catalogue.failures.items())
    ]
    return {"models": models, "failures": failures}
