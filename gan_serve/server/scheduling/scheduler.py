"""Who is computed when: a bounded queue for each model, and as many runners as there are processors.

A runner takes what is there and never waits for more. Models take turns, so that one with a long queue does not hold
up the others. Sessions have one thread each: requests side by side leave no processor idle, while one request on all
of them does.
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
    """Runners for all models. `queue` is how many images may wait for one of them."""

    def __init__(self, *, queue: int, runners: int | None = None) -> None:
        self.queue = queue
        self.beat = time.monotonic()  # when a run last ended
        self._turns: deque[ModelQueue] = deque()  # the models that calls wait for, each one once
        self._condition = threading.Condition()
        self._open = True
        self._runners = [
            threading.Thread(target=self._work, name=f"runner-{number}", daemon=True)
            for number in range(runners or cpu_count())
        ]
        for runner in self._runners:
            runner.start()

    def submit(self, lane: ModelQueue, call: Task) -> None:
        """Let a call wait for its turn.

        Raises:
            Busy: the queue is full, or so long that the call would miss its deadline.
            ApiError: the engine is stopping.
        """
        with self._condition:
            if not self._open:
                raise unavailable("the server is stopping")
            self._refuse_if_busy(lane, call)
            if lane not in self._turns:
                self._turns.append(lane)
            lane.put(call)
            self._condition.notify()

    def withdraw(self, lane: ModelQueue, call: Task) -> None:
        """Nobody waits for the call any more; it is not computed, or no further than to the end of a tile."""
        call.future.abandon()
        with self._condition:
            lane.drop(call)

    async def answer(self, lane: ModelQueue, call: Task, note: RequestContext) -> Any:
        """Submit a call and wait for its answer as long as the caller does, but not beyond the deadline.

        Raises:
            ApiError: it cannot be answered in time, or the caller has left.
            Exception: whatever `prepare` and `finish` raise.
        """
        if note.left:  # while the request was read
            raise ClientDisconnected
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[type[ApiError] | None] = loop.create_future()

        def end(reason: type[ApiError] | None) -> None:
            if not ended.done():
                ended.set_result(reason)

        # Once it has ended, the loop may be closed.
        call.future.add_done_callback(lambda _: ended.done() or loop.call_soon_threadsafe(end, None))
        timer = loop.call_later(call.deadline - time.monotonic(), end, DeadlineExceeded)
        note.on_leave = partial(end, ClientDisconnected)
        try:
            self.submit(lane, call)  # at last, since it wakes a runner, for whom Python has to be free
            if reason := await ended:
                raise reason
            return call.future.result()
        finally:
            timer.cancel()
            if not call.future.done():
                self.withdraw(lane, call)

    def stop(self, seconds: float) -> None:
        """Answer what waits, and end the runners; one that is still at work after so many seconds is left behind."""
        until = time.monotonic() + seconds
        with self._condition:
            self._open = False
            self._condition.notify_all()
        for runner in self._runners:
            runner.join(max(0.0, until - time.monotonic()))

    def _refuse_if_busy(self, lane: ModelQueue, call: Task) -> None:
        busy = max(1, len(self._turns))
        wait = lane.rows * lane.pace * busy / len(self._runners)
        late = time.monotonic() + wait + call.rows * lane.pace > call.deadline
        # Whoever finds nobody waiting is taken: a request is never larger than the queue, but a warm-up may be.
        if lane.rows and (lane.rows + call.rows > self.queue or late):
            raise TooManyRequests(f"{lane.rows} images wait for {lane.metadata.name} already", math.ceil(wait) or 1)

    def _next(self) -> tuple[ModelQueue, list[Task]] | None:
        """The calls whose turn it is; None when there will be no more."""
        with self._condition:
            while True:
                while not self._turns:
                    if not self._open:
                        return None
                    self._condition.wait()
                lane = self._turns.popleft()
                calls = lane.take()
                if lane.waiting:
                    self._turns.append(lane)
                if calls:  # else all were withdrawn
                    return lane, calls

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            _run(*turn)
            del turn  # a runner that waits keeps no images
            self.beat = time.monotonic()


def _run(lane: ModelQueue, calls: list[Task]) -> None:
    try:
        lane.run(calls)
    except Exception as error:  # a runner lives on whatever happens
        _log.exception("a run of %s failed", lane.metadata.name)
        for call in calls:
            if not call.future.done():
                call.future.set_exception(error)
