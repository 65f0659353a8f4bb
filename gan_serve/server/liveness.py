"""Whether models still run: where a session hangs or its device is lost, the process lives on and answers nobody."""

import math
import time
from concurrent.futures import Future
from typing import Any

from gan_serve.server.library import Library
from gan_serve.server.scheduling.scheduler import Scheduler

_FRESH = 1.0  # seconds in which a run tells that another one would end, too


class LivenessProbe:
    """Felt by whoever asks: any run that ends is a sign of life, and where there was none lately, a trial begins.

    Nobody waits for a trial: the next to ask learns what became of it. `patience` is how many seconds may pass without
    a run that ends.
    """

    def __init__(self, library: Library, engine: Scheduler, patience: float) -> None:
        self._library, self._engine, self._patience = library, engine, patience
        self._began = -math.inf
        self._trial: Future[Any] | None = None

    def check(self) -> bool:
        """Whether the last trial went well, or may still do so."""
        now = time.monotonic()
        failed = self._trial is not None and self._trial.done() and self._trial.exception() is not None
        answered = failed or self._engine.beat > self._began
        alive = not failed and (answered or now - self._began < self._patience)
        if answered and now - max(self._began, self._engine.beat) > _FRESH:
            self._began, self._trial = now, self._library.try_quickest()
        return alive
