"""Queues and runners: whoever waits gets its own answer, or is told why not."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from gan_serve.errors import Failure
from gan_serve.generator import Generator
from gan_serve.repository import Repository
from gan_serve.sampling import Arrays
from gan_serve.server.errors import ApiError, DeadlineExceeded, TooManyRequests
from gan_serve.server.examples import example_arrays
from gan_serve.server.metrics import Metrics
from gan_serve.server.scheduling.batching import infer_rows, infer_together
from gan_serve.server.scheduling.model_queue import ModelQueue
from gan_serve.server.scheduling.scheduler import Scheduler
from gan_serve.server.scheduling.task import Task


@pytest.fixture(scope="module")
def generator(models: Path) -> Generator:
    return Generator(Repository(models).find("digits"), device="cpu", threads=1)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(queue=8, workers=1)
    yield scheduler
    scheduler.stop(10)


def queue_of(generator: Generator, *, batches: bool = False) -> ModelQueue:
    queue = ModelQueue(generator, Metrics())
    queue.batches = batches
    return queue


def feed(place: int) -> Arrays:
    """One row that no other place has."""
    latent = np.random.RandomState(place).standard_normal((1, 16)).astype(np.float32)
    return {"latent": latent, "label": np.array([place % 10])}


def task_for(place: int, *, prepare: Callable[[], Arrays] | None = None, seconds: float = 60) -> Task:
    return Task(1, time.monotonic() + seconds, prepare or (lambda: feed(place)), lambda outputs: outputs["image"])


class Held:
    """A call that keeps the runner busy until it is released."""

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


def poisoned() -> Arrays:
    raise Failure("poison")


def out_of_range() -> Arrays:
    """What the graph itself cannot compute, and no check has found."""
    return feed(0) | {"label": np.array([99])}


@pytest.mark.parametrize("batches", [False, True], ids=["one by one", "in batches"])
@pytest.mark.parametrize("poison", [poisoned, out_of_range])
def test_a_poisoned_call_neither_fails_nor_shifts_its_neighbours(
    scheduler: Scheduler, generator: Generator, batches: bool, poison: Callable[[], Arrays]
) -> None:
    queue = queue_of(generator, batches=batches)
    held = Held(scheduler, queue)
    tasks = [task_for(place, prepare=poison if place in (2, 5) else None) for place in range(8)]
    for task in tasks:
        scheduler.submit(queue, task)
    held.release()
    for place, task in enumerate(tasks):
        if place in (2, 5):
            with pytest.raises(Failure):
                task.future.result(10)
        else:
            np.testing.assert_array_equal(task.future.result(10), generator.infer(feed(place))["image"])


def test_batches_are_filled_up_to_sizes_that_are_warm(generator: Generator) -> None:
    feeds = [example_arrays(generator.metadata, rows) for rows in (1, 3, 7, 64, 70)]
    for buckets in (False, True):
        for each, answer in zip(feeds, infer_together(generator, feeds, buckets=buckets), strict=True):
            assert not isinstance(answer, Failure)
            np.testing.assert_array_equal(answer["image"], infer_rows(generator, each, buckets=False)["image"])


def test_a_call_that_nobody_waits_for_is_not_computed(scheduler: Scheduler, generator: Generator) -> None:
    queue = queue_of(generator)
    held, computed = Held(scheduler, queue), []

    def note() -> Arrays:
        computed.append(True)
        return feed(1)

    left, late = task_for(1, prepare=note), task_for(2, prepare=note, seconds=0.05)
    scheduler.submit(queue, left)
    scheduler.submit(queue, late)
    scheduler.withdraw(queue, left)
    time.sleep(0.1)
    held.release()
    with pytest.raises(DeadlineExceeded):
        late.future.result(10)
    with pytest.raises(CancelledError):
        left.future.result(0)
    assert (computed, queue.rows) == ([], 0)


def test_a_full_queue_refuses_and_has_room_again_when_a_caller_leaves(
    scheduler: Scheduler, generator: Generator
) -> None:
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


def test_what_cannot_be_in_time_is_refused_at_once(scheduler: Scheduler, generator: Generator) -> None:
    queue = queue_of(generator)
    held = Held(scheduler, queue)
    queue.pace = 2.0
    scheduler.submit(queue, task_for(1, seconds=3))
    with pytest.raises(TooManyRequests) as refused:
        scheduler.submit(queue, task_for(2, seconds=3))
    assert refused.value.headers["Retry-After"] == "2"
    held.release()


def test_models_take_turns(scheduler: Scheduler, generator: Generator) -> None:
    crowded, other = queue_of(generator), queue_of(generator)
    held, order = Held(scheduler, crowded), []

    def noted(name: str) -> Task:
        return task_for(0, prepare=lambda: (order.append(name), feed(0))[1])

    tasks = [noted("crowded") for _ in range(6)] + [noted("other")]
    for task in tasks:
        scheduler.submit(other if task is tasks[-1] else crowded, task)
    held.release()
    for task in tasks:
        task.future.result(10)
    assert order.index("other") <= 1


def test_an_engine_that_stops_answers_what_waits_and_takes_no_more(generator: Generator) -> None:
    scheduler, queue = Scheduler(queue=8, workers=2), queue_of(generator)
    tasks = [task_for(place) for place in range(8)]
    for task in tasks:
        scheduler.submit(queue, task)
    scheduler.stop(10)
    assert all(task.future.done() for task in tasks)
    with pytest.raises(ApiError, match="stopping"):
        scheduler.submit(queue, task_for(0))


def test_an_engine_that_stops_does_not_wait_for_ever(scheduler: Scheduler, generator: Generator) -> None:
    held = Held(scheduler, queue_of(generator))
    began = time.monotonic()
    scheduler.stop(0.2)
    assert time.monotonic() - began < 5
    held.release()
    held.task.future.result(10)


def test_images_made_one_after_the_other_are_spread_over_the_runners(models: Path) -> None:
    """Where a device runs batches, calls that make none of them still run side by side."""
    scheduler = Scheduler(queue=8, workers=2)
    queue = queue_of(Generator(Repository(models).find("painter"), device="cpu", threads=1), batches=True)
    both = threading.Barrier(2)

    def meet() -> Arrays:
        both.wait(5)
        return {}

    tasks = [Task(1, time.monotonic() + 60, meet, lambda outputs: "made") for _ in range(2)]
    held = [Held(scheduler, queue_of(queue.generator)) for _ in range(2)]
    for task in tasks:
        scheduler.submit(queue, task)
    for each in held:
        each.release()
    assert [task.future.result(10) for task in tasks] == ["made", "made"]
    scheduler.stop(10)
