"""HTTP connections with timeouts for slow clients, which uvicorn does not have.

A connection also reports a disconnect to the request in progress by a callback. Watching `receive` would cost an extra
asyncio task for each request.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gan_serve.server.request_context import CONNECTIONS, disconnect


def protocol_with_timeout(seconds: float) -> type[HttpToolsProtocol]:
    """Return a protocol class for uvicorn that allows `seconds` to send a request, and to read a response."""
    return type("TimeoutProtocol", (_TimeoutProtocol,), {"io_timeout": seconds})


class _CoalescingTransport:
    """A transport that sends a response's head and body together, in one system call and one packet.

    A chunk waits for the next one, but not beyond the current iteration of the event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._chunks: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._chunks.append(data)
        if len(self._chunks) > 1:
            self._flush()
        else:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._chunks and not self._transport.is_closing():
            self._transport.writelines(self._chunks)
        self._chunks = []


class _TimeoutProtocol(HttpToolsProtocol):
    io_timeout: float
    _receiving = False  # whether a request has arrived in part
    _receive_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_CoalescingTransport(transport, self.loop))  # type: ignore[arg-type]
        self._receive_timer = self.loop.call_later(self.io_timeout, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._receive_timer, self._send_timer):
            if timer:
                timer.cancel()
        disconnect(getattr(self, "scope", None))
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._receiving and self._receive_timer is None:  # most requests arrive at once and need no timer
            self._receive_timer = self.loop.call_later(self.io_timeout, self.transport.abort)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CONNECTIONS] = len(self.connections)  # type: ignore[literal-required]
        self._receiving = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._receiving = False
        if self._receive_timer:
            self._receive_timer.cancel()
            self._receive_timer = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._send_timer = self.loop.call_later(self.io_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._send_timer:
            self._send_timer.cancel()
            self._send_timer = None
