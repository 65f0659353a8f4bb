"""Several callers' arrays in one run of a session, so that nobody sees the others.

On a processor a run has one caller: batching brings no throughput there. On CUDA it brings a lot, and every size of a
batch costs a search for algorithms, so that batches are filled up to a few sizes which are warmed before the first
request.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from gan_serve.errors import Failure
from gan_serve.generator import BATCH, Generator
from gan_serve.sampling import Arrays

BUCKETS = tuple(2**power for power in range(BATCH.bit_length()))  # 1, 2, 4 ... BATCH


def infer_together(generator: Generator, feeds: Sequence[Arrays], *, buckets: bool) -> list[Arrays | Failure]:
    """The outputs for each of the feeds, or why there are none for it; one that fails leaves the others alone.

    For a feed of nothing there is nothing.
    """
    if len(feeds) == 1 and feeds[0]:
        return [_infer_alone(generator, feeds[0], buckets)]
    answers: dict[int, Arrays | Failure] = {place: {} for place, feed in enumerate(feeds) if not feed}
    for places in _alike(feeds):
        group = [feeds[place] for place in places]
        answers.update(zip(places, _infer_group(generator, group, buckets), strict=True))
    return [answers[place] for place in range(len(feeds))]


def infer_rows(generator: Generator, feed: Arrays, *, buckets: bool) -> Arrays:
    """The outputs for any number of rows, in batches that are bearable.

    Raises:
        Failure: they cannot be computed.
    """
    starts = range(0, _rows(feed), BATCH)
    parts = [{name: array[at : at + BATCH] for name, array in feed.items()} for at in starts]
    outputs = [_infer_filled(generator, part) if buckets else generator.infer(part) for part in parts]
    return outputs[0] if len(outputs) == 1 else _joined(outputs)


def infer_each(generator: Generator, feed: Arrays, on_row: Callable[[], None]) -> Arrays:
    """The outputs for any number of rows, one after the other, so that the memory is that of one.

    `on_row` is called after each; what it raises ends the work.

    Raises:
        Failure: they cannot be computed.
    """
    outputs = []
    for row in range(_rows(feed)):
        outputs.append(generator.infer({name: array[row : row + 1] for name, array in feed.items()}))
        on_row()
    return _joined(outputs)


def _alike(feeds: Sequence[Arrays]) -> list[list[int]]:
    """The places of those that can stand in one batch: all axes but the first agree."""
    groups = defaultdict(list)
    for place, feed in enumerate(feeds):
        if not feed:
            continue
        groups[tuple((name, array.shape[1:]) for name, array in feed.items())].append(place)
    return list(groups.values())


def _infer_group(generator: Generator, group: list[Arrays], buckets: bool) -> Sequence[Arrays | Failure]:
    if len(group) == 1:
        return [_infer_alone(generator, group[0], buckets)]
    try:
        together = infer_rows(generator, _joined(group), buckets=buckets)
    except Failure:
        return [_infer_alone(generator, feed, buckets) for feed in group]
    return _split(together, [_rows(feed) for feed in group])


def _infer_alone(generator: Generator, feed: Arrays, buckets: bool) -> Arrays | Failure:
    try:
        return infer_rows(generator, feed, buckets=buckets)
    except Failure as failure:
        return failure


def _infer_filled(generator: Generator, feed: Arrays) -> Arrays:
    """The last row is repeated until the batch has one of the sizes that are warm."""
    rows = _rows(feed)
    bucket = next(size for size in BUCKETS if size >= rows)
    filled = {name: np.concatenate([array, array[-1:].repeat(bucket - rows, axis=0)]) for name, array in feed.items()}
    return {name: array[:rows] for name, array in generator.infer(filled).items()}


def _joined(feeds: Sequence[Arrays]) -> Arrays:
    return {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}


def _split(outputs: Arrays, sizes: Sequence[int]) -> list[Arrays]:
    ends = np.cumsum(sizes)[:-1]
    parts = {name: np.split(array, ends) for name, array in outputs.items()}
    return [{name: parts[name][place] for name in parts} for place in range(len(sizes))]


def _rows(feed: Arrays) -> int:
    return len(next(iter(feed.values())))
