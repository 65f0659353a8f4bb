"""Ctrl-C and SIGTERM end a job between two files, with one line that says how far it came."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from gan_serve.errors import GanServeError


class Terminated(KeyboardInterrupt):
    """SIGTERM, which is to be handled as Ctrl-C is."""


class Interrupted(GanServeError):
    """The job was stopped from outside."""

    def __init__(self, cause: KeyboardInterrupt, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done:,} of {total:,} done; the same command goes on from there")
        self.exit_code = 128 + (signal.SIGTERM if isinstance(cause, Terminated) else signal.SIGINT)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM raises in here."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated
