import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from gan_serve.system.parallel import map_in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    assert list(map_in_order(str, range(100), threads)) == [str(number) for number in range(100)]


def test_as_many_calls_run_at_once_as_there_are_threads() -> None:
    together = threading.Barrier(3, timeout=30)  # opens when three calls have arrived
    assert len(list(map_in_order(lambda _: together.wait(), range(6), threads=3))) == 6


@pytest.mark.parametrize("threads", [1, 3])
def test_items_are_consumed_only_as_results_are(threads: int) -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with closing(map_in_order(str, items(), threads)) as results:
        assert next(results) == "0"
        assert len(taken) <= 2 * threads


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_reaches_the_caller_and_ends_the_work(threads: int) -> None:
    begun = []

    def invert(number: int) -> float:
        begun.append(number)
        return 1 / (number - 3)

    results = map_in_order(invert, range(1000), threads)
    assert [next(results) for _ in range(3)] == [1 / -3, 1 / -2, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(begun) <= 4 + 2 * threads
