"""Requests and replies between the processes of a cluster."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from gan_serve.deploy.transport import ForwardedRequest, Reply, exchange, join_replies, read_request

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/v1",
    "raw_path": b"/v1",
    "query_string": b"",
    "root_path": "",
    "headers": [],
}


async def echo(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    request = Request(scope, receive)
    await Response(await request.body(), 201, {"X-Path": request.url.path})(scope, receive, send)


def received(chunks: list[bytes], limit: int) -> ForwardedRequest:
    arriving = [*chunks]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": arriving.pop(0), "more_body": bool(arriving)}

    return asyncio.run(read_request(Request({**SCOPE, "app": object()}, receive), limit))


@settings(max_examples=30)
@example(chunks=[b"ab", b"c"], limit=2)
@given(chunks=st.lists(st.binary(max_size=9), min_size=1, max_size=6), limit=st.integers(0, 30))
def test_a_body_is_read_whole_or_until_it_is_too_long(chunks: list[bytes], limit: int) -> None:
    request, body = received(chunks, limit), b"".join(chunks)
    assert request.scope == SCOPE
    assert request.body == body if len(body) <= limit else len(request.body) > limit
    assert body.startswith(request.body)
    reply = asyncio.run(exchange(echo, request))
    assert (reply.status, reply.body, dict(reply.headers)[b"x-path"]) == (201, request.body, b"/v1")


def test_metrics_are_merged_with_their_new_length_unless_a_replica_fails() -> None:
    page = b"# TYPE a gauge\na 1.0\n"
    good = Reply(200, [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(page))], page)
    merged = join_replies({"one": good, "two": good})
    assert merged.body.count(b"replica=") == 2
    assert dict(merged.headers) == {b"content-type": b"text/plain", b"content-length": b"%d" % len(merged.body)}
    failed = Reply(503, [], b"")
    assert join_replies({"one": good, "two": failed}) is failed
