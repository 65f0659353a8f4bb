"""What every request passes on its way in and out: limits, keys, its id, its line in the log, its count."""

import logging
import time
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan_serve.server.auth import PROBES, needs_key
from gan_serve.server.errors import ApiError, TooManyRequests, without_frames
from gan_serve.server.request_context import CONNECTIONS, RequestContext, make_context
from gan_serve.server.responses import answer_error
from gan_serve.server.root_path import place
from gan_serve.server.service import Service

_log = logging.getLogger("gan_serve.access")


class RequestMiddleware:
    """The outermost layer but for CORS, which browsers need on refusals, too."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service, self._settings = app, service, service.settings
        self._keys = service.keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        note = make_context(scope)
        reply = self._observed(note, send)
        self._service.in_progress += 1
        try:
            self._check(scope, note)
            await self._app(scope, self._bounded(receive), reply)
        except Exception as error:
            if note.status:  # too late to tell; uvicorn logs it, and cuts off an answer that is not whole
                raise
            answer = answer_error(scope, error)
            without_frames(error)
            await answer(scope, receive, reply)
        finally:
            self._service.in_progress -= 1
            self._record(scope, note)

    def _check(self, scope: Scope, note: RequestContext) -> None:
        place(scope, note, self._settings.root_path)
        if scope["path"] not in PROBES:
            self._refuse_if_crowded(scope)
        if self._keys and needs_key(scope["path"]):
            self._keys.check(scope)
        length = note.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._settings.max_body:
            raise self._too_large()
        if note.header("content-encoding", "identity").lower() != "identity":
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body uncompressed")

    def _refuse_if_crowded(self, scope: Scope) -> None:
        if scope.get(CONNECTIONS, 0) > self._settings.connections:
            message = f"{self._settings.connections} connections are open already"
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1", "Connection": "close"})
        if self._service.in_progress > self._settings.concurrency:
            raise TooManyRequests(f"{self._settings.concurrency} requests are in progress already")

    def _bounded(self, receive: Receive) -> Receive:
        """Bodies come in chunks, whose sum nobody has to announce."""
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._settings.max_body:
                raise self._too_large()
            return message

        return bounded

    def _too_large(self) -> ApiError:
        limit = self._settings.max_body
        return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is too large; send up to {limit} bytes")

    def _observed(self, note: RequestContext, send: Send) -> Send:
        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                note.status = message["status"]
                added = [(b"x-request-id", note.request_id.encode()), (b"x-content-type-options", b"nosniff")]
                if self._service.draining:  # so that whoever calls again finds another server
                    added.append((b"connection", b"close"))
                message["headers"] = [*message["headers"], *added]
            await send(message)

        return observed

    def _record(self, scope: Scope, note: RequestContext) -> None:
        seconds = time.monotonic() - note.began
        self._service.metrics.answered(note.model, note.status, seconds, note.reason)
        if _log.isEnabledFor(logging.INFO):
            fields = {"method": scope["method"], "path": scope["path"], "status": note.status, "model": note.model}
            _log.info("request", extra={"request_id": note.request_id, **fields, "seconds": round(seconds, 6)})
