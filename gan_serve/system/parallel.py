"""Work on several processors: threads of our own, each of which runs a session that has one thread."""

from collections import abc, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def map_in_order(
    function: Callable[[Item], Made], items: Iterable[Item], threads: int
) -> abc.Generator[Made, None, None]:
    """`map` by up to `threads` threads at once: results in the order of the items.

    At most twice as many items as threads are in progress or wait to be taken, so that memory does not grow with the
    number of items. If a call raises, or the caller stops early, calls that have not started are dropped.
    """
    if threads == 1:
        yield from map(function, items)
        return
    executor = ThreadPoolExecutor(threads)
    window: deque[Future[Made]] = deque()
    try:
        for item in items:
            window.append(executor.submit(function, item))
            if len(window) == 2 * threads:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
