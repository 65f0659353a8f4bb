"""The scheduler: bounded queues, one for each model, served in turn by one worker thread per processor.

A worker runs what is queued and never waits for more. Models take turns, so that a long queue for one does not delay
the others. Each session has a single thread: several requests side by side use every processor fully, while one request
spread over all of them does not.
"""

import asyncio
import logging
import math
import threading
import time
from collections import deque
from functools import partial
from typing import Any

from gan_serve.server.errors import ApiError, ClientDisconnected, DeadlineExceeded, TooManyRequests, unavailable
from gan_serve.server.request_context import RequestContext
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.task import Task
from gan_serve.system.cpus import cpu_count

_log = logging.getLogger(__name__)


class Scheduler:
    """Worker threads for all models. At most `max_queued` images may wait for one model."""

    def __init__(self, *, max_queued: int, workers: int | None = None) -> None:
        self.max_queued = max_queued
        self.last_run = time.monotonic()  # when a run last ended
        self._turns: deque[ModelQueue] = deque()  # the queues with waiting tasks, each once
        self._condition = threading.Condition()
        self._open = True
        self._workers = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(workers or cpu_count())
        ]
        for worker in self._workers:
            worker.start()

    def submit(self, queue: ModelQueue, task: Task) -> None:
        """Add a task to a queue.

        Raises:
            TooManyRequests: the queue is full, or so long that the task would miss its deadline.
            ApiError: the scheduler is stopping.
        """
        with self._condition:
            if not self._open:
                raise unavailable("the server is stopping")
            self._refuse_if_busy(queue, task)
            if queue not in self._turns:
                self._turns.append(queue)
            queue.put(task)
            self._condition.notify()

    def withdraw(self, queue: ModelQueue, task: Task) -> None:
        """Cancel a task: remove it from its queue, or stop it after the current tile if it is already running."""
        task.future.abandon()
        with self._condition:
            queue.drop(task)

    async def run(self, queue: ModelQueue, task: Task, context: RequestContext) -> Any:
        """Submit a task and return its output. If the client disconnects or the deadline passes, cancel the task.

        Raises:
            ApiError: the queue is full, the deadline has passed, or the client has disconnected.
            Exception: what `prepare` or `finish` raises.
        """
        if context.disconnected:  # while its request was being read
            raise ClientDisconnected
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[type[ApiError] | None] = loop.create_future()

        def end(reason: type[ApiError] | None) -> None:
            if not ended.done():
                ended.set_result(reason)

        # After the end the loop may be closed already.
        task.future.add_done_callback(lambda _: ended.done() or loop.call_soon_threadsafe(end, None))
        timer = loop.call_later(task.deadline - time.monotonic(), end, DeadlineExceeded)
        context.on_disconnect = partial(end, ClientDisconnected)
        try:
            self.submit(queue, task)  # last: it wakes a worker, which needs the GIL
            if reason := await ended:
                raise reason
            return task.future.result()
        finally:
            timer.cancel()
            if not task.future.done():
                self.withdraw(queue, task)

    def stop(self, seconds: float) -> None:
        """Finish the queued tasks and stop the workers. Leave workers that are still busy after `seconds`."""
        until = time.monotonic() + seconds
        with self._condition:
            self._open = False
            self._condition.notify_all()
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))

    def _refuse_if_busy(self, queue: ModelQueue, task: Task) -> None:
        busy = max(1, len(self._turns))
        wait = queue.rows * queue.pace * busy / len(self._workers)
        late = time.monotonic() + wait + task.rows * queue.pace > task.deadline
        # An empty queue accepts any task: a request always fits, but a warm-up batch may be larger than the queue.
        if queue.rows and (queue.rows + task.rows > self.max_queued or late):
            raise TooManyRequests(f"{queue.rows} images wait for {queue.metadata.name} already", math.ceil(wait) or 1)

    def _next(self) -> tuple[ModelQueue, list[Task]] | None:
        """Wait for the next tasks to run. Return None once the scheduler has stopped and all queues are empty."""
        with self._condition:
            while True:
                while not self._turns:
                    if not self._open:
                        return None
                    self._condition.wait()
                queue = self._turns.popleft()
                tasks = queue.take()
                if queue.waiting:
                    self._turns.append(queue)
                if tasks:  # none if all were cancelled
                    return queue, tasks

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            _run(*turn)
            del turn  # so that an idle worker keeps no images
            self.last_run = time.monotonic()


def _run(queue: ModelQueue, tasks: list[Task]) -> None:
    try:
        queue.run(tasks)
    except Exception as error:  # no error may end a worker
        _log.exception("a run of %s failed", queue.metadata.name)
        for task in tasks:
            if not task.future.done():
                task.future.set_exception(error)
