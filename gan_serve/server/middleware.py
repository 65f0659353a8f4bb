"""The middleware around every request: limits, API keys, request ids, errors, access log, metrics."""

import logging
import time
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan_serve.server.auth import PROBES, needs_key
from gan_serve.server.errors import ApiError, TooManyRequests, without_frames
from gan_serve.server.request_context import CONNECTIONS, RequestContext, make_context
from gan_serve.server.responses import response_of
from gan_serve.server.root_path import place
from gan_serve.server.service import Service

_log = logging.getLogger("gan_serve.access")


class RequestMiddleware:
    """Outermost middleware except CORS, which must also cover error responses."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service, self._settings = app, service, service.settings
        self._keys = service.keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = make_context(scope)
        send = self._observed_send(context, send)
        self._service.in_progress += 1
        try:
            self._check(scope, context)
            await self._app(scope, self._bounded_receive(receive), send)
        except Exception as error:
            if context.status:  # the response has started: uvicorn logs the error and closes the connection
                raise
            response = response_of(scope, error)
            without_frames(error)
            await response(scope, receive, send)
        finally:
            self._service.in_progress -= 1
            self._record(scope, context)

    def _check(self, scope: Scope, context: RequestContext) -> None:
        place(scope, context, self._settings.root_path)
        if scope["path"] not in PROBES:
            self._check_load(scope)
        if self._keys and needs_key(scope["path"]):
            self._keys.check(scope)
        length = context.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._settings.max_body:
            raise self._too_large()
        if context.header("content-encoding", "identity").lower() != "identity":
            raise ApiError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "compressed bodies are not supported; send it uncompressed"
            )

    def _check_load(self, scope: Scope) -> None:
        if scope.get(CONNECTIONS, 0) > self._settings.connections:
            message = f"{self._settings.connections} connections are open already"
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1", "Connection": "close"})
        if self._service.in_progress > self._settings.concurrency:
            raise TooManyRequests(f"{self._settings.concurrency} requests are in progress already")

    def _bounded_receive(self, receive: Receive) -> Receive:
        """Wrap `receive` with the limit on the body's size, for bodies without a Content-Length."""
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

    def _observed_send(self, context: RequestContext, send: Send) -> Send:
        """Wrap `send` to record the status and add the headers that every response has."""

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                context.status = message["status"]
                headers = [(b"x-request-id", context.request_id.encode()), (b"x-content-type-options", b"nosniff")]
                if self._service.draining:  # so that the client's next request goes to another server
                    headers.append((b"connection", b"close"))
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        return observed

    def _record(self, scope: Scope, context: RequestContext) -> None:
        seconds = time.monotonic() - context.started
        self._service.metrics.observe_request(context.model, context.status, seconds, context.reason)
        if _log.isEnabledFor(logging.INFO):
            fields = {
                "method": scope["method"],
                "path": scope["path"],
                "status": context.status,
                "model": context.model,
            }
            _log.info("request", extra={"request_id": context.request_id, **fields, "seconds": round(seconds, 6)})
