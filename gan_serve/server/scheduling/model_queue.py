"""The queue of one model: its session, the waiting tasks, and the average time per image."""

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

Output = TypeVar("Output")

_INERTIA = 0.9  # of the moving average of the time per image


class ModelQueue:
    """Tasks for one model. Only the scheduler changes the queue, under its lock."""

    def __init__(self, generator: Generator, metrics: Metrics) -> None:
        self.generator = generator
        self.metadata = generator.metadata
        self.waiting: deque[Task] = deque()
        self.rows = 0  # images waiting
        self.pace = 0.0  # seconds per image, averaged
        self.batches = generator.device != "cpu"  # see batching.py
        self._metrics = metrics

    @property
    def warm_sizes(self) -> Sequence[int]:
        """The batch sizes to run before the first request."""
        return BUCKETS if self.batches else (1,)

    def put(self, task: Task) -> None:
        """Add a task to the end."""
        self.waiting.append(task)
        self.rows += task.rows

    def drop(self, task: Task) -> None:
        """Remove a task, if it still waits."""
        if task in self.waiting:
            self.waiting.remove(task)
            self.rows -= task.rows

    def take(self) -> list[Task]:
        """Remove and return the tasks of the next run: the oldest one, and on CUDA those behind it that fit in a batch.

        A model that makes images one by one runs no batches: the other tasks are left to other workers.
        """
        tasks: list[Task] = []
        room = BATCH if self.batches and not self.metadata.per_item else 0
        while self.waiting and (not tasks or self.waiting[0].rows <= room):
            tasks.append(self.waiting.popleft())
            room -= tasks[-1].rows
            self.rows -= tasks[-1].rows
        return tasks

    def run(self, tasks: Sequence[Task]) -> None:
        """Run the tasks that have not been cancelled. An error in one task fails that task alone."""
        started = time.monotonic()
        prepared = [(task, attempt(task, task.prepare)) for task in tasks if task.begin()]
        ready = [(task, arrays) for task, arrays in prepared if arrays is not None]
        if not ready:
            return
        outputs = infer_together(self.generator, [arrays for _, arrays in ready], buckets=self.batches)
        finished = [
            (task, attempt(task, partial(_finish, task, output)))
            for (task, _), output in zip(ready, outputs, strict=True)
        ]
        if succeeded := [task for task, output in finished if output is not None]:
            self._observe(succeeded, started)
        for task, output in finished:  # last: it wakes the event loop, which needs the GIL
            if output is not None:
                task.future.set_result(output)

    def _observe(self, tasks: Sequence[Task], started: float) -> None:
        seconds, rows = time.monotonic() - started, sum(task.rows for task in tasks)
        self.pace = _INERTIA * self.pace + (1 - _INERTIA) * seconds / rows if self.pace else seconds / rows
        self._metrics.observe_run(self.metadata.name, rows, seconds, [started - task.queued for task in tasks])


def attempt(task: Task, function: Callable[[], Output]) -> Output | None:
    """Return the function's output, or None after failing the task with its exception."""
    try:
        return function()
    except Exception as error:
        task.future.set_exception(without_frames(error) if isinstance(error, ApiError) else error)
        return None


def _finish(task: Task, outputs: Arrays | Failure) -> object:
    if isinstance(outputs, Failure):
        raise outputs
    return task.finish(outputs)
