"""Batching: the arrays of several tasks in one run of a session.

On a CPU each run has one task, since batches add no throughput there. On CUDA they add a lot, but each new batch size
costs a search for algorithms. So batches are padded to a few sizes, which run once before the first request.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from gan_serve.errors import Failure
from gan_serve.generator import BATCH, Generator
from gan_serve.sampling import Arrays

BUCKETS = tuple(2**power for power in range(BATCH.bit_length()))  # 1, 2, 4 ... BATCH


def infer_together(generator: Generator, feeds: Sequence[Arrays], *, buckets: bool) -> list[Arrays | Failure]:
    """Return the outputs of each feed, or the failure of that feed alone. An empty feed has empty outputs."""
    if len(feeds) == 1 and feeds[0]:
        return [_infer_alone(generator, feeds[0], buckets)]
    outputs: dict[int, Arrays | Failure] = {place: {} for place, feed in enumerate(feeds) if not feed}
    for places in _compatible(feeds):
        group = [feeds[place] for place in places]
        outputs.update(zip(places, _infer_group(generator, group, buckets), strict=True))
    return [outputs[place] for place in range(len(feeds))]


def infer_rows(generator: Generator, feed: Arrays, *, buckets: bool) -> Arrays:
    """Return the outputs of any number of rows, computed in batches of up to `BATCH`.

    Raises:
        Failure: the session fails.
    """
    starts = range(0, _rows(feed), BATCH)
    parts = [{name: array[at : at + BATCH] for name, array in feed.items()} for at in starts]
    outputs = [_infer_padded(generator, part) if buckets else generator.infer(part) for part in parts]
    return outputs[0] if len(outputs) == 1 else _joined(outputs)


def infer_each(generator: Generator, feed: Arrays, on_row: Callable[[], None]) -> Arrays:
    """Return the outputs of any number of rows, computed one by one to save memory.

    `on_row` is called after each row; an exception that it raises stops the run.

    Raises:
        Failure: the session fails.
    """
    outputs = []
    for row in range(_rows(feed)):
        outputs.append(generator.infer({name: array[row : row + 1] for name, array in feed.items()}))
        on_row()
    return _joined(outputs)


def _compatible(feeds: Sequence[Arrays]) -> list[list[int]]:
    """Group the places of feeds that fit in one batch: their shapes differ in the first axis only."""
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


def _infer_padded(generator: Generator, feed: Arrays) -> Arrays:
    """Run a batch that is padded to one of the `BUCKETS` by repeating its last row."""
    rows = _rows(feed)
    bucket = next(size for size in BUCKETS if size >= rows)
    padded = {name: np.concatenate([array, array[-1:].repeat(bucket - rows, axis=0)]) for name, array in feed.items()}
    return {name: array[:rows] for name, array in generator.infer(padded).items()}


def _joined(feeds: Sequence[Arrays]) -> Arrays:
    return {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}


def _split(outputs: Arrays, sizes: Sequence[int]) -> list[Arrays]:
    ends = np.cumsum(sizes)[:-1]
    parts = {name: np.split(array, ends) for name, array in outputs.items()}
    return [{name: parts[name][place] for name in parts} for place in range(len(sizes))]


def _rows(feed: Arrays) -> int:
    return len(next(iter(feed.values())))
