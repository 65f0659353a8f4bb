"""Queues and workers: every task gets its own output, or an error of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_serve.errors import Failure
from gan_serve.generator import Generator
from gan_serve.repository import Repository
from gan_serve.sampling import Arrays
from gan_serve.server.errors import ApiError, ClientDisconnected, DeadlineExceeded, TooManyRequests
from gan_serve.server.examples import example_arrays
from gan_serve.server.metrics import Metrics
from gan_serve.server.request_context import RequestContext, disconnect, make_context
from gan_serve.server.scheduling.batching import infer_rows, infer_together
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.scheduler import Scheduler
from gan_serve.server.scheduling.task import Task


@pytest.fixture(scope="module")
def generator(models: Path) -> Generator:
    return Generator(Repository(models).find("digits"), device="cpu", threads=1)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(max_queued=8, workers=1)
    yield scheduler
    scheduler.stop(10)


def queue_of(generator: Generator, *, batches: bool = False) -> ModelQueue:
    queue = ModelQueue(generator, Metrics())
    queue.batches = batches
    return queue


def feed(place: int) -> Arrays:
    """Return one row, different for each place."""
    latent = np.random.RandomState(place).standard_normal((1, 16)).astype(np.float32)
    return {"latent": latent, "label": np.array([place % 10])}


def task_for(place: int, *, prepare: Callable[[], Arrays] | None = None, seconds: float = 60) -> Task:
    return Task(1, time.monotonic() + seconds, prepare or (lambda: feed(place)), lambda outputs: outputs["image"])


class Held:
    """A task that keeps a worker busy until it is released."""

    def __init__(self, scheduler: Scheduler, queue: ModelQueue) -> None:
        self._running, self._release = threading.Event(), threading.Event()
        self.task = task_for(0, prepare=self._wait)
        scheduler.submit(queue, self.task)
        assert self._running.wait(10)

    def _wait(self) -> Arrays:
        self._running.set()
        assert self._release.wait(10)
        return feed(0)

    def release(self) -> None:
        self._release.set()


def failing() -> Arrays:
    raise Failure("failed on purpose")


def out_of_range() -> Arrays:
    """Return inputs that pass all checks but fail in the graph."""
    return feed(0) | {"label": np.array([99])}


@pytest.mark.parametrize("batches", [False, True], ids=["one by one", "in batches"])
@pytest.mark.parametrize("fail", [failing, out_of_range])
def test_a_failing_task_neither_fails_nor_shifts_its_neighbours(
    scheduler: Scheduler, generator: Generator, batches: bool, fail: Callable[[], Arrays]
) -> None:
    queue = queue_of(generator, batches=batches)
    held = Held(scheduler, queue)
    tasks = [task_for(place, prepare=fail if place in (2, 5) else None) for place in range(8)]
    for task in tasks:
        scheduler.submit(queue, task)
    held.release()
    for place, task in enumerate(tasks):
        if place in (2, 5):
            with pytest.raises(Failure):
                task.future.result(10)
        else:
            np.testing.assert_array_equal(task.future.result(10), generator.infer(feed(place))["image"])


def test_batches_are_padded_to_warm_sizes(generator: Generator) -> None:
    feeds = [example_arrays(generator.metadata, rows) for rows in (1, 3, 7, 64, 70)]
    for buckets in (False, True):
        for each, answer in zip(feeds, infer_together(generator, feeds, buckets=buckets), strict=True):
            assert not isinstance(answer, Failure)
            np.testing.assert_array_equal(answer["image"], infer_rows(generator, each, buckets=False)["image"])


def test_a_task_that_nobody_waits_for_is_not_computed(scheduler: Scheduler, generator: Generator) -> None:
    queue = queue_of(generator)
    held, computed = Held(scheduler, queue), []

    def record() -> Arrays:
        computed.append(True)
        return feed(1)

    cancelled, late = task_for(1, prepare=record), task_for(2, prepare=record, seconds=0.05)
    scheduler.submit(queue, cancelled)
    scheduler.submit(queue, late)
    scheduler.withdraw(queue, cancelled)
    time.sleep(0.1)
    held.release()
    with pytest.raises(DeadlineExceeded):
        late.future.result(10)
    with pytest.raises(CancelledError):
        cancelled.future.result(0)
    assert (computed, queue.rows) == ([], 0)


def test_a_full_queue_rejects_tasks_until_one_is_cancelled(scheduler: Scheduler, generator: Generator) -> None:
    queue = queue_of(generator)
    held = Held(scheduler, queue)
    tasks = [task_for(place) for place in range(8)]
    for task in tasks:
        scheduler.submit(queue, task)
    with pytest.raises(TooManyRequests, match="8 images wait for digits already") as refused:
        scheduler.submit(queue, task_for(9))
    assert int(refused.value.headers["Retry-After"]) >= 1
    scheduler.withdraw(queue, tasks[3])
    scheduler.submit(queue, last := task_for(9))
    held.release()
    np.testing.assert_array_equal(last.future.result(10), generator.infer(feed(9))["image"])


def test_a_task_that_would_miss_its_deadline_is_rejected_at_once(scheduler: Scheduler, generator: Generator) -> None:
    queue = queue_of(generator)
    held = Held(scheduler, queue)
    queue.pace = 2.0
    scheduler.submit(queue, task_for(1, seconds=3))
    with pytest.raises(TooManyRequests) as refused:
        scheduler.submit(queue, task_for(2, seconds=3))
    assert refused.value.headers["Retry-After"] == "2"
    held.release()


def test_models_take_turns(scheduler: Scheduler, generator: Generator) -> None:
    busy, other = queue_of(generator), queue_of(generator)
    held, order = Held(scheduler, busy), []

    def recorded(name: str) -> Task:
        return task_for(0, prepare=lambda: (order.append(name), feed(0))[1])

    tasks = [recorded("busy") for _ in range(6)] + [recorded("other")]
    for task in tasks:
        scheduler.submit(other if task is tasks[-1] else busy, task)
    held.release()
    for task in tasks:
        task.future.result(10)
    assert order.index("other") <= 1


def test_a_stopping_scheduler_finishes_its_tasks_and_rejects_new_ones(generator: Generator) -> None:
    scheduler, queue = Scheduler(max_queued=8, workers=2), queue_of(generator)
    tasks = [task_for(place) for place in range(8)]
    for task in tasks:
        scheduler.submit(queue, task)
    scheduler.stop(10)
    assert all(task.future.done() for task in tasks)
    with pytest.raises(ApiError, match="stopping"):
        scheduler.submit(queue, task_for(0))


def test_a_stopping_scheduler_does_not_wait_forever(scheduler: Scheduler, generator: Generator) -> None:
    held = Held(scheduler, queue_of(generator))
    began = time.monotonic()
    scheduler.stop(0.2)
    assert time.monotonic() - began < 5
    held.release()
    held.task.future.result(10)


def test_tasks_of_one_by_one_models_are_spread_over_the_workers(models: Path) -> None:
    """On a device that runs batches, tasks that cannot be batched still run side by side."""
    scheduler = Scheduler(max_queued=8, workers=2)
    queue = queue_of(Generator(Repository(models).find("painter"), device="cpu", threads=1), batches=True)
    both = threading.Barrier(2)

    def meet() -> Arrays:
        both.wait(5)
        return {}

    tasks = [Task(1, time.monotonic() + 60, meet, lambda outputs: "done") for _ in range(2)]
    held = [Held(scheduler, queue_of(queue.generator)) for _ in range(2)]
    for task in tasks:
        scheduler.submit(queue, task)
    for each in held:
        each.release()
    assert [task.future.result(10) for task in tasks] == ["done", "done"]
    scheduler.stop(10)


def new_context() -> tuple[dict[str, Any], RequestContext]:
    scope: dict[str, Any] = {"headers": []}
    return scope, make_context(scope)


def test_run_returns_the_output(scheduler: Scheduler, generator: Generator) -> None:
    output = asyncio.run(scheduler.run(queue_of(generator), task_for(3), new_context()[1]))
    np.testing.assert_array_equal(output, generator.infer(feed(3))["image"])


def test_run_cancels_its_task_at_the_deadline(scheduler: Scheduler, generator: Generator) -> None:
    queue, task = queue_of(generator), task_for(1, seconds=0.2)
    held = Held(scheduler, queue)
    with pytest.raises(DeadlineExceeded):
        asyncio.run(scheduler.run(queue, task, new_context()[1]))
    assert (task.future.cancelled(), queue.rows) == (True, 0)
    held.release()


@pytest.mark.parametrize("early", [True, False], ids=["before the task is queued", "while the task waits"])
def test_run_cancels_its_task_when_the_client_disconnects(
    scheduler: Scheduler, generator: Generator, early: bool
) -> None:
    queue, task = queue_of(generator), task_for(1)
    held = Held(scheduler, queue)

    async def run() -> None:
        scope, context = new_context()
        if early:
            disconnect(scope)
        else:
            asyncio.get_running_loop().call_later(0.2, disconnect, scope)
        await scheduler.run(queue, task, context)

    with pytest.raises(ClientDisconnected):
        asyncio.run(run())
    assert (queue.rows, task.future.running()) == (0, False)
    held.release()
