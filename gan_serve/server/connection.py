"""A connection that waits for nobody for ever: neither for a request to arrive nor for an answer to be taken.

Where its caller leaves, it says so to whoever works for it: watching `receive` for that would cost a task a request.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gan_serve.server.note import leave


def patient_for(seconds: float) -> type[HttpToolsProtocol]:
    """The protocol with this patience, as uvicorn wants it: a class."""
    return type("PatientProtocol", (_Patient,), {"patience": seconds})


class _Patient(HttpToolsProtocol):
    patience: float
    _arriving: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arriving = self.loop.call_later(self.patience, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._arriving, self._leaving):
            if timer:
                timer.cancel()
        leave(getattr(self, "scope", None))
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._arriving is None:  # a further request on the same connection
            self._arriving = self.loop.call_later(self.patience, self.transport.abort)

    def on_message_complete(self) -> None:
        super().on_message_complete()
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
