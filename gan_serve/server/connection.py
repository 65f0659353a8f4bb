"""A connection that waits for nobody for ever: neither for a request to arrive nor for an answer to be taken.

Where its caller leaves, it says so to whoever works for it: watching `receive` for that would cost a task a request.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gan_serve.server.request_context import CONNECTIONS, leave


def patient_for(seconds: float) -> type[HttpToolsProtocol]:
    """The protocol with this patience, as uvicorn wants it: a class."""
    return type("PatientProtocol", (_Patient,), {"patience": seconds})


class _Gathered:
    """A transport that sends an answer's head together with its body: one call of the system, one packet.

    What is written waits for the next thing to be written, but not beyond this turn of the event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._parts.append(data)
        if len(self._parts) > 1:
            self._flush()
        else:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts and not self._transport.is_closing():
            self._transport.writelines(self._parts)
        self._parts = []


class _Patient(HttpToolsProtocol):
    patience: float
    _begun = False  # whether a request has begun to arrive and is not there whole
    _arriving: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Gathered(transport, self.loop))  # type: ignore[arg-type]
        self._arriving = self.loop.call_later(self.patience, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._arriving, self._leaving):
            if timer:
                timer.cancel()
        leave(getattr(self, "scope", None))
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._begun and self._arriving is None:  # most requests come whole, and need no timer
            self._arriving = self.loop.call_later(self.patience, self.transport.abort)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CONNECTIONS] = len(self.connections)  # type: ignore[literal-required]
        self._begun = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._begun = False
        if self._arriving:
            self._arriving.cancel()
            self._arriving = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._leaving = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._leaving:
            self._leaving.cancel()
            self._leaving = None
