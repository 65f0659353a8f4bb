"""What is known of a request while it is answered: for errors, logs and metrics."""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import Scope

_KEY = "gan_serve.note"


@dataclass
class Note:
    """Made by the gate, and completed by whoever knows more."""

    request_id: str
    began: float = field(default_factory=time.monotonic)
    model: str = ""  # one that is served, never what a caller may have invented
    reason: str = ""  # why it was refused
    status: int = 0
    on_leave: Callable[[], None] | None = None  # whom to tell that the caller has left


def make_note(scope: Scope) -> Note:
    """The note of a new request. A caller's own id is kept if it can stand in a log."""
    given = Headers(scope=scope).get("x-request-id", "")
    note = Note(given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else secrets.token_hex(8))
    scope[_KEY] = note
    return note


def leave(scope: Scope | None) -> None:
    """The connection of this request is lost. Who is being answered may go: nothing is left to be spared."""
    note = (scope or {}).get(_KEY)
    if note and note.on_leave and not note.status:
        note.on_leave()


def note_of(scope: Scope) -> Note:
    """The note of a request in progress."""
    note: Note = scope[_KEY]
    return note
