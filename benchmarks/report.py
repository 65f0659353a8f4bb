"""Tables of the measurements: medians of the rounds, and a comparison with the targets."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TypeVar

from contestants import OURS

from gan_serve.errors import UsageError
from gan_serve.system.cpus import cpu_count
from training.publishing.markdown import table

OF_LIMIT, OVER_TRITON, OVER_PYTHON, ABOVE_RUN = 0.85, 1.5, 2.0, 0.5
HEAD = ("server", "connections", "requests/s", "p50 ms", "p99 ms", "CPU ms", "callers' CPU ms", "MB", "ready s")
FORMATS = (".0f", ".3f", ".3f", ".3f", ".3f", ".0f", ".2f")
START, END = "<!-- figures: filled in by benchmarks/serve.py --page -->", "<!-- figures: end -->"


@dataclass(frozen=True)
class Limit:
    """The results of a bare loop on each core."""

    rate: float  # images a second on all cores
    processor: float  # milliseconds for an image
    run: float  # milliseconds of `session.run` in a single loop


@dataclass(frozen=True)
class Figures:
    """The results of a server at a number of connections."""

    rate: float
    p50: float  # milliseconds, as the next three
    p99: float
    processor: float
    callers: float
    memory: float  # MB
    ready: float  # seconds


@dataclass(frozen=True)
class Round:
    """The measurements of one round with one model; a server may be missing."""

    limit: Limit
    figures: Mapping[tuple[str, int], Figures]  # by server and connections


Record = TypeVar("Record", Limit, Figures)


def report(rounds: Mapping[int, Sequence[Round]], left_out: Mapping[str, str]) -> str:
    """Return a table for each image size, and one for the targets."""
    parts = [_machine(), *(_measured(size, each) for size, each in rounds.items()), _targets(rounds)]
    parts += [f"Left out: {name} ({reason})." for name, reason in left_out.items()]
    return "\n\n".join(parts)


def _machine() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{cpu_count()} cores, {names[0].partition(': ')[2] if names else 'of an unknown kind'}."


def _measured(size: int, rounds: Sequence[Round]) -> str:
    limit = _median(Limit, [each.limit for each in rounds])
    text = (
        f"{size}x{size}: {limit.rate:.0f} images/s by a bare loop on each core, {limit.processor:.3f} ms of a "
        f"processor for each; `session.run` alone {limit.run:.3f} ms."
    )
    rows = []
    for name, connections in _servers(rounds):
        figures = _median(Figures, [each.figures[name, connections] for each in rounds])
        cells = (format(value, form) for value, form in zip(astuple(figures), FORMATS, strict=True))
        rows.append([name, str(connections), *cells])
    return f"{text}\n\n{table(HEAD, rows)}"


def _targets(rounds: Mapping[int, Sequence[Round]]) -> str:
    """Return a table with a row for each target and a column for each model."""
    keys = _servers([each for some in rounds.values() for each in some])
    fewest, most = min(number for _, number in keys), max(number for _, number in keys)

    def row(text: str, target: str, value: Callable[[Round], float]) -> list[str]:
        return [text, *(f"{statistics.median(map(value, each)):.2f}" for each in rounds.values()), target]

    def over(name: str) -> Callable[[Round], float]:
        return lambda each: each.figures[OURS, most].rate / each.figures[name, most].rate

    peers = dict.fromkeys(name for name, _ in keys if name != OURS)
    rows = [
        row("requests/s over the limit's, the callers' share left out", f">= {OF_LIMIT} for 64x64", _of_limit(most)),
        *(row(f"requests/s over those of {name}", f">= {_over(name)}", over(name)) for name in peers),
        row(
            f"p50 at {fewest} connection{'s' * (fewest > 1)} minus `session.run`, ms",
            f"<= {ABOVE_RUN}",
            lambda each: each.figures[OURS, fewest].p50 - each.limit.run,
        ),
    ]
    head = [f"gan-serve at {most} connections", *(f"{size}x{size}" for size in rounds), "to be reached"]
    return table(head, rows)


def _over(name: str) -> float:
    return OVER_TRITON if name == "triton" else OVER_PYTHON


def _of_limit(connections: int) -> Callable[[Round], float]:
    """Return the share of the limit that a server reaches, excluding the callers' processor time."""

    def value(each: Round) -> float:
        figures = each.figures[OURS, connections]
        left = 1 - figures.rate * figures.callers / (1000 * cpu_count())
        return figures.rate / (each.limit.rate * left)

    return value


def _servers(rounds: Sequence[Round]) -> list[tuple[str, int]]:
    """Return the servers and connections that were measured in every round."""
    return [key for key in rounds[0].figures if all(key in each.figures for each in rounds)]


def _median(kind: type[Record], each: Sequence[Record]) -> Record:
    names = [field.name for field in fields(kind)]
    return kind(*(statistics.median(getattr(one, name) for one in each) for name in names))


class Page:
    """A Markdown file with two marker lines around the tables."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            text = path.read_text()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        self._before, started, rest = text.partition(START)
        _, ended, self._after = rest.partition(END)
        if not (started and ended):
            raise UsageError(f"{path} needs the lines {START} and {END}, between which the tables are written")

    def fill_in(self, tables: str) -> None:
        """Replace the tables between the markers."""
        self._path.write_text(f"{self._before}{START}\n{tables}\n{END}{self._after}")
