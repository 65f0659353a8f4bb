"""Parallel work: a pool of threads, each running single-threaded inference."""

from collections import abc, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Output = TypeVar("Output")


def map_in_order(
    function: Callable[[Item], Output], items: Iterable[Item], threads: int
) -> abc.Generator[Output, None, None]:
    """Map a function over items with up to `threads` threads. Yield the results in order.

    At most twice as many results as threads are in progress or waiting, so memory does not grow with the number of
    items. If a call raises, or the caller stops early, calls that have not started are cancelled.
    """
    if threads == 1:
        yield from map(function, items)
        return
    executor = ThreadPoolExecutor(threads)
    window: deque[Future[Output]] = deque()
    try:
        for item in items:
            window.append(executor.submit(function, item))
            if len(window) == 2 * threads:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
