"""A task: one request to one model, as it waits in a queue."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from gan_serve.sampling import Arrays
from gan_serve.server.errors import ClientDisconnected, DeadlineExceeded


class CancellableFuture(Future[Any]):
    """A future that can be abandoned even after its task has started."""

    abandoned = False

    def abandon(self) -> None:
        """Cancel the task: a queued task never starts, and a running one stops at its next `check`."""
        self.abandoned = True
        self.cancel()

    def check(self) -> None:
        """Stop an abandoned task. Long tasks call this between their steps.

        Raises:
            ClientDisconnected: the future has been abandoned.
        """
        if self.abandoned:
            raise ClientDisconnected


@dataclass(eq=False)
class Task:
    """Work that is created on the event loop and runs in a worker thread.

    `prepare` makes the graph's inputs; `finish` turns its outputs into the response, encoding included. Neither runs on
    the event loop. If `prepare` returns no inputs, `finish` runs the model itself.
    """

    rows: int  # images
    deadline: float  # on the monotonic clock
    prepare: Callable[[], Arrays]
    finish: Callable[[Arrays], Any]
    future: CancellableFuture = field(default_factory=CancellableFuture)
    queued: float = field(default_factory=time.monotonic)

    def begin(self) -> bool:
        """Start the task, unless it was cancelled or its deadline has passed. Return whether it started."""
        if not self.future.set_running_or_notify_cancel():
            return False
        if time.monotonic() >= self.deadline:
            self.future.set_exception(DeadlineExceeded())
            return False
        return True
