"""What waits in a queue: one caller's wish to one model."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from gan_serve.sampling import Arrays
from gan_serve.server.errors import ClientDisconnected, DeadlineExceeded


class CancellableFuture(Future[Any]):
    """An answer that somebody waits for, or does not any more."""

    abandoned = False

    def abandon(self) -> None:
        """Nobody waits any more: it is not begun, and what was begun is ended where that can be."""
        self.abandoned = True
        self.cancel()

    def check(self) -> None:
        """Called between the parts of a long piece of work.

        Raises:
            Gone: nobody waits for it any more.
        """
        if self.abandoned:
            raise ClientDisconnected


@dataclass(eq=False)
class Task:
    """Made on the event loop, run in a runner's thread; whoever waits has the future, and may abandon it.

    `prepare` makes the graph's inputs and `finish` turns its outputs into the answer, encoding included: neither runs
    on the event loop. Where `prepare` makes none, `finish` runs the model itself.
    """

    rows: int  # images
    deadline: float  # on the monotonic clock
    prepare: Callable[[], Arrays]
    finish: Callable[[Arrays], Any]
    future: CancellableFuture = field(default_factory=CancellableFuture)
    queued: float = field(default_factory=time.monotonic)

    def begin(self) -> bool:
        """Whether anybody still waits for the answer; from now on it cannot be cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return False
        if time.monotonic() >= self.deadline:
            self.future.set_exception(DeadlineExceeded())
            return False
        return True
