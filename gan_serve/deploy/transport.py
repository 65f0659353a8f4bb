"""Requests and replies that travel between the processes of a cluster."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message

from gan_serve.deploy.metrics_merge import join_pages

_SCOPE = ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers")
_LENGTH = b"content-length"


@dataclass(frozen=True)
class ForwardedRequest:
    """A request on its way to a replica."""

    scope: MutableMapping[str, Any]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A reply on its way back."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def read_request(request: Request, max_body: int) -> ForwardedRequest:
    """Read a request. Of a body longer than `max_body`, read just enough for the replica to reject it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_body:
            break
    return ForwardedRequest({key: request.scope[key] for key in _SCOPE}, bytes(body))


async def exchange(app: ASGIApp, request: ForwardedRequest) -> Reply:
    """Send a request to an ASGI application, and return its reply."""
    incoming: list[Message] = [{"type": "http.request", "body": request.body}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(request.scope, receive, send)
    head, *parts = sent
    return Reply(head["status"], head["headers"], b"".join(part.get("body", b"") for part in parts))


def join_replies(replies: Mapping[str, Reply]) -> Reply:
    """Merge the metrics of several replicas by name into one reply; or return an error reply if there is one."""
    for reply in replies.values():
        if reply.status != 200:
            return reply
    body = join_pages({name: reply.body.decode() for name, reply in replies.items()})
    headers = [each for each in reply.headers if each[0] != _LENGTH]
    return replace(reply, headers=[*headers, (_LENGTH, b"%d" % len(body))], body=body)
