"""JSON responses: documents and errors."""

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


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a document as a JSON response."""
    content = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return Response(content, status, headers, media_type="application/json")


def error_response(context: RequestContext, error: ApiError) -> Response:
    """Return the error's message and the request's id, under which the log has more."""
    context.reason = reason_of(error.status)
    document = {"error": str(error), "request_id": context.request_id}
    return json_response(document, error.status, error.headers)


def reason_of(status: int) -> str:
    """Return the failure reason that the metrics count for a status; empty for successes and redirects."""
    return _REASONS.get(status, "" if status < 400 else "refused" if status < 500 else "failed")


def response_of(scope: Scope, error: Exception) -> Response:
    """Return the response to a request that raised an exception."""
    return error_response(context_of(scope), error_of(scope, error))


def error_of(scope: Scope, error: Exception) -> ApiError:
    """Convert an exception to the error that clients see. Unexpected ones are logged and reveal no details."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ClientDisconnect):  # before the request was complete
        return ClientDisconnected()
    if isinstance(error, UsageError):
        return bad_request(str(error))
    if isinstance(error, HTTPException):  # from Starlette: an unknown route, a malformed form
        return ApiError(error.status_code, str(error.detail), error.headers)
    context = context_of(scope)
    _log.error("%s failed", context.model or scope["path"], exc_info=error, extra={"request_id": context.request_id})
    return ApiError(500, "internal error; see the server's log for this request id")
