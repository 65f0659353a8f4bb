"""Answers that are no pictures: errors, and documents."""

import json
import logging
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Scope

from gan_serve.errors import UsageError
from gan_serve.server.note import Note, note_of
from gan_serve.server.refusals import CLIENT_CLOSED_REQUEST, Gone, Refusal

_log = logging.getLogger(__name__)

_REASONS = {400: "invalid", 404: "unknown", 429: "busy", CLIENT_CLOSED_REQUEST: "gone", 504: "deadline"}


def json_reply(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A document as JSON."""
    content = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return Response(content, status, headers, media_type="application/json")


def error_reply(note: Note, refusal: Refusal) -> Response:
    """What was wrong, and the id under which the log knows the request."""
    note.reason = _REASONS.get(refusal.status, "refused" if refusal.status < 500 else "failed")
    document = {"error": str(refusal), "request_id": note.request_id}
    return json_reply(document, refusal.status, refusal.headers)


def answer_error(scope: Scope, error: Exception) -> Response:
    """The reply to a request that raised something. Nothing of an unexpected error is told but its id."""
    note = note_of(scope)
    if isinstance(error, Refusal):
        return error_reply(note, error)
    if isinstance(error, ClientDisconnect):  # before the whole request was there
        return error_reply(note, Gone())
    if isinstance(error, UsageError):
        return error_reply(note, Refusal(400, str(error)))
    if isinstance(error, HTTPException):  # the framework's own: no such route, a form that cannot be read
        return error_reply(note, Refusal(error.status_code, str(error.detail), error.headers))
    _log.error("%s failed", note.model or scope["path"], exc_info=error, extra={"request_id": note.request_id})
    return error_reply(note, Refusal(500, "the server failed; its log says more under the request's id"))
