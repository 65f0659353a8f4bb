"""Routes for operators and client authors: health, metrics, reload, documentation."""

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
from gan_serve.server.responses import json_response
from gan_serve.server.service import Service

_log = logging.getLogger(__name__)


class Operations:
    """The routes that belong to no model."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._keys = admin_keys(service.settings)

    async def health(self, request: HttpRequest) -> Response:
        """Return the server's state and its models; 503 unless it is ready."""
        catalogue = self._service.library.catalogue
        state = self._service.state
        document = {"state": state, "version": gan_serve.__version__, **_models(catalogue)}
        return json_response(document, 200 if state == "ready" else 503)

    async def metrics(self, request: HttpRequest) -> Response:
        """Return the Prometheus metrics."""
        queues = self._service.library.catalogue.queues
        waiting = ((name, queue.rows) for (name, _), queue in queues.items())
        content = self._service.metrics.render(self._service.in_progress, waiting)
        return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: HttpRequest) -> Response:
        """Return the OpenAPI document of the plain API, for the models in service."""
        return json_response(describe(self._service, context_of(request.scope).prefix))

    async def docs(self, request: HttpRequest) -> Response:
        """Return the interactive documentation."""
        return get_swagger_ui_html(openapi_url=f"{context_of(request.scope).prefix}/openapi.json", title="gan-serve")

    async def reload(self, request: HttpRequest) -> Response:
        """Load new and changed models; 409 if one is invalid, in which case its previous version stays in service."""
        if not self._keys:
            raise ApiError(404, "the admin routes are disabled; set GAN_SERVE_ADMIN_TOKEN to enable them")
        self._keys.check(request.scope)
        started = time.monotonic()
        try:
            catalogue = await asyncio.to_thread(self._service.library.reload)
        except UsageError as error:
            _log.error("not reloaded: %s", error)
            message = "the models folder cannot be read; the loaded models stay in service, and the log has the reason"
            raise ApiError(409, message) from None
        document = {"seconds": round(time.monotonic() - started, 3), **_models(catalogue)}
        return json_response(document, 409 if catalogue.failures else 200)


def _models(catalogue: Catalogue) -> dict[str, object]:
    models = [
        {"name": name, "version": version, "sha256": queue.generator.sha256, "provider": queue.generator.device}
        for (name, version), queue in sorted(catalogue.queues.items())
    ]
    failures = [
        {"name": name, "version": version, "error": reason}
        for (name, version), reason in sorted(catalogue.failures.items())
    ]
    return {"models": models, "failures": failures}
