"""One model at work: its session, the calls that wait for it, and how long an image takes."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from gan_serve.errors import Failure
from gan_serve.generator import BATCH, Generator
from gan_serve.sampling import Arrays
from gan_serve.server.errors import ApiError, without_frames
from gan_serve.server.metrics import Metrics
from gan_serve.server.scheduling.batching import BUCKETS, infer_together
from gan_serve.server.scheduling.task import Task

Made = TypeVar("Made")

_INERTIA = 0.9  # of the moving average of an image's time


class ModelQueue:
    """The calls for one model. Its queue is changed under the engine's lock only."""

    def __init__(self, generator: Generator, metrics: Metrics) -> None:
        self.generator = generator
        self.metadata = generator.metadata
        self.waiting: deque[Task] = deque()
        self.rows = 0  # images waiting
        self.pace = 0.0  # seconds of a runner for an image
        self.batches = generator.device != "cpu"  # see batch.py
        self._metrics = metrics

    @property
    def warm_sizes(self) -> Sequence[int]:
        """The batches that are tried before the first request."""
        return BUCKETS if self.batches else (1,)

    def put(self, call: Task) -> None:
        """Let a call wait."""
        self.waiting.append(call)
        self.rows += call.rows

    def drop(self, call: Task) -> None:
        """Forget a call, if it still waits."""
        if call in self.waiting:
            self.waiting.remove(call)
            self.rows -= call.rows

    def take(self) -> list[Task]:
        """What one run of the session answers: the oldest call, and on CUDA those behind it that fit.

        Where images are made one after the other, the calls behind it are left to other runners.
        """
        taken: list[Task] = []
        room = BATCH if self.batches and not self.metadata.per_item else 0
        while self.waiting and (not taken or self.waiting[0].rows <= room):
            taken.append(self.waiting.popleft())
            room -= taken[-1].rows
            self.rows -= taken[-1].rows
        return taken

    def run(self, calls: Sequence[Task]) -> None:
        """Answer the calls that somebody still waits for; what is wrong with one is told to that one alone."""
        began = time.monotonic()
        begun = [(call, attempt(call, call.prepare)) for call in calls if call.begin()]
        ready = [(call, arrays) for call, arrays in begun if arrays is not None]
        if not ready:
            return
        outputs = infer_together(self.generator, [arrays for _, arrays in ready], buckets=self.batches)
        finished = [
            (call, attempt(call, partial(_finish, call, answer)))
            for (call, _), answer in zip(ready, outputs, strict=True)
        ]
        if made_for := [call for call, made in finished if made is not None]:
            self._observe(made_for, began)
        for call, made in finished:  # at last, since it wakes the event loop, for which Python has to be free
            if made is not None:
                call.future.set_result(made)

    def _observe(self, calls: Sequence[Task], began: float) -> None:
        seconds, rows = time.monotonic() - began, sum(call.rows for call in calls)
        self.pace = _INERTIA * self.pace + (1 - _INERTIA) * seconds / rows if self.pace else seconds / rows
        self._metrics.executed(self.metadata.name, rows, seconds, [began - call.queued for call in calls])


def attempt(call: Task, make: Callable[[], Made]) -> Made | None:
    """What is made for a call, or nothing where that fails and the call was told so."""
    try:
        return make()
    except Exception as error:
        call.future.set_exception(without_frames(error) if isinstance(error, ApiError) else error)
        return None


def _finish(call: Task, answer: Arrays | Failure) -> object:
    if isinstance(answer, Failure):
        raise answer
    return call.finish(answer)
