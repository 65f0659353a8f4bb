"""What is known of a request while it is answered: for errors, logs and metrics."""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

CONNECTIONS = "gan_serve.connections"  # in a scope: how many are open
_KEY = "gan_serve.note"
_ID = re.compile(rb"[A-Za-z0-9_.-]{1,64}")


@dataclass
class RequestContext:
    """Made by the gate, and completed by whoever knows more."""

    request_id: str
    headers: dict[bytes, bytes]  # the first of each name
    began: float = field(default_factory=time.monotonic)
    model: str = ""  # one that is served, never what a caller may have invented
    reason: str = ""  # why it was refused
    prefix: str = ""  # what an address of this server begins with behind the host
    refused: int = 0  # the status of a refusal, where a framework between would answer 500
    status: int = 0
    left: bool = False  # whether the caller has left before it was answered
    on_leave: Callable[[], None] | None = None  # whom to tell so

    def header(self, name: str, default: str = "") -> str:
        """A header that the caller sent; its name in small letters."""
        value = self.headers.get(name.encode())
        return default if value is None else value.decode("latin-1")


def make_context(scope: Scope) -> RequestContext:
    """The note of a new request. A caller's own id is kept if it can stand in a log."""
    headers = dict(reversed(scope["headers"]))
    given = headers.get(b"x-request-id", b"")
    note = RequestContext(given.decode() if _ID.fullmatch(given) else f"{random.getrandbits(64):016x}", headers)
    scope[_KEY] = note
    return note


def leave(scope: Scope | None) -> None:
    """The connection of this request is lost. Who is being answered may go: nothing is left to be spared."""
    note: RequestContext | None = (scope or {}).get(_KEY)
    if note and not note.status:
        note.left = True
        if note.on_leave:
            note.on_leave()


def context_of(scope: Scope) -> RequestContext:
    """The note of a request in progress."""
    note: RequestContext = scope[_KEY]
    return note
