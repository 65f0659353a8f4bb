"""Names for files that nobody named: what they show, in the order model, inputs, seed, index."""

from collections.abc import Sequence

from gan_serve.request import Inputs, Item, Request


def item_stem(model: str, seed: int, item: Item) -> str:
    """The name of one image among many; it sorts by index."""
    return "-".join([model, *_values([item.inputs]), f"seed{seed}", f"index{item.index:05}"])


def request_stem(model: str, request: Request, *, with_seed: bool = True) -> str:
    """The name of a whole answer. Without its seed, a job that drew one finds its unfinished output again."""
    parts = [model, *_values(request.inputs)]
    parts += [f"seed{request.seed}"] if with_seed else []
    parts += [f"index{request.index}"] if request.index else []
    parts += [f"count{request.count}"] if request.count > 1 else []
    return "-".join(parts)


def _values(rows: Sequence[Inputs]) -> list[str]:
    return [f"{name}{_span([row[name] for row in rows])}" for name in rows[0]]


def _span(values: Sequence[int | float]) -> str:
    unique = list(dict.fromkeys(values))
    if len(unique) > 2 and unique == list(range(int(unique[0]), int(unique[0]) + len(unique))):
        return f"{unique[0]}-{unique[-1]}"
    return ",".join(map(str, unique)) if len(unique) <= 4 else f"{unique[0]}...{unique[-1]}"
