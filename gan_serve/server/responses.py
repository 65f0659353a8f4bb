"""Answers that are no images: errors, and documents."""

import json
import logging
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Scope

from gan_serve.errors import UsageError
from gan_serve.server.errors import CLIENT_CLOSED_REQUEST, ApiError, ClientDisconnected, bad_request
from gan_serve.server.request_context import RequestContext, context_of

_log = logging.getLogger(__name__)

_REASONS = {400: "invalid", 404: "unknown", 429: "busy", CLIENT_CLOSED_REQUEST: "gone", 504: "deadline"}


def json_reply(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A document as JSON."""
    content = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return Response(content, status, headers, media_type="application/json")


def error_reply(note: RequestContext, refusal: ApiError) -> Response:
    """What was wrong, and the id under which the log knows the request."""
    note.reason = reason_of(refusal.status)
    document = {"error": str(refusal), "request_id": note.request_id}
    return json_reply(document, refusal.status, refusal.headers)


def reason_of(status: int) -> str:
    """Why a request was refused, as the metrics count it; nothing where it was sent elsewhere."""
    return _REASONS.get(status, "" if status < 400 else "refused" if status < 500 else "failed")


def answer_error(scope: Scope, error: Exception) -> Response:
    """The reply to a request that raised something."""
    return error_reply(context_of(scope), error_of(scope, error))


def error_of(scope: Scope, error: Exception) -> ApiError:
    """What the caller is told of an error, in every front end; of one that nobody expected, nothing but its id."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ClientDisconnect):  # before the whole request was there
        return ClientDisconnected()
    if isinstance(error, UsageError):
        return bad_request(str(error))
    if isinstance(error, HTTPException):  # the framework's own: no such route, a form that cannot be read
        return ApiError(error.status_code, str(error.detail), error.headers)
    note = context_of(scope)
    _log.error("%s failed", note.model or scope["path"], exc_info=error, extra={"request_id": note.request_id})
    return ApiError(500, "the server failed; its log says more under the request's id")
