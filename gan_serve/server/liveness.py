"""Liveness probe: checks that models still run, since a process outlives a hung session or a lost device."""

import math
import time
from concurrent.futures import Future
from typing import Any

from gan_serve.server.library import Library
from gan_serve.server.scheduling.scheduler import Scheduler

_FRESH = 1.0  # seconds for which a finished run counts as a sign of life


class LivenessProbe:
    """Reports whether models run. Each finished run is a sign of life.

    Without a recent run, `check` starts a trial run. It never waits for the trial: later checks see its outcome. A
    trial that takes longer than `timeout` seconds has failed.
    """

    def __init__(self, library: Library, scheduler: Scheduler, timeout: float) -> None:
        self._library, self._scheduler, self._timeout = library, scheduler, timeout
        self._started = -math.inf
        self._trial: Future[Any] | None = None

    def check(self) -> bool:
        """Return False if the last trial failed or timed out, and start a new trial if one is due."""
        now = time.monotonic()
        failed = self._trial is not None and self._trial.done() and self._trial.exception() is not None
        answered = failed or self._scheduler.last_run > self._started
        alive = not failed and (answered or now - self._started < self._timeout)
        if answered and now - max(self._started, self._scheduler.last_run) > _FRESH:
            self._started, self._trial = now, self._library.try_quickest()
        return alive
