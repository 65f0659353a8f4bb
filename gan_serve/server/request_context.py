"""The context of a request in progress: its id, headers, model and status, for errors, logs and metrics."""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

CONNECTIONS = "gan_serve.connections"  # key in the scope: how many connections are open
_KEY = "gan_serve.context"
_ID = re.compile(rb"[A-Za-z0-9_.-]{1,64}")


@dataclass
class RequestContext:
    """Created by the middleware and completed by the routes."""

    request_id: str
    headers: dict[bytes, bytes]  # the first header of each name
    started: float = field(default_factory=time.monotonic)
    model: str = ""  # only the name of a served model, never unchecked input
    reason: str = ""  # why the request failed
    prefix: str = ""  # path prefix of this server's addresses, behind a proxy
    error_status: int = 0  # the status of an error that Gradio would report as 500
    status: int = 0
    disconnected: bool = False  # whether the client has closed the connection
    on_disconnect: Callable[[], None] | None = None  # called when it does

    def header(self, name: str, default: str = "") -> str:
        """Return a request header by its lower-case name."""
        value = self.headers.get(name.encode())
        return default if value is None else value.decode("latin-1")


def make_context(scope: Scope) -> RequestContext:
    """Create the context of a request, in its scope. A request id from the client is kept if it is safe to log."""
    headers = dict(reversed(scope["headers"]))
    client_id = headers.get(b"x-request-id", b"")
    context = RequestContext(
        client_id.decode() if _ID.fullmatch(client_id) else f"{random.getrandbits(64):016x}", headers
    )
    scope[_KEY] = context
    return context


def disconnect(scope: Scope | None) -> None:
    """Report that the connection of a request is lost. Ignored once the response has started."""
    context: RequestContext | None = (scope or {}).get(_KEY)
    if context and not context.status:
        context.disconnected = True
        if context.on_disconnect:
            context.on_disconnect()


def context_of(scope: Scope) -> RequestContext:
    """Return the context of a request in progress."""
    context: RequestContext = scope[_KEY]
    return context
