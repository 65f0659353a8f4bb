"""A comparison of variants and settings over several seeds, its records, and the table that is made of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_serve.metadata import ModelMetadata, Training
from training.experiments import records
from training.experiments.zoo import Task
from training.loop.replacing import check_new, goes_on
from training.loop.runs import Trained
from training.publishing import markdown


@dataclass(frozen=True)
class Contestant:
    """One row of the table."""

    variant: str
    what: str  # its name for people
    options: tuple[str, ...] = ()  # of its training
    published: str = ""


@dataclass(frozen=True)
class Figure:
    """One column of the table: a score of a model, or what was observed in the last steps of a training."""

    name: str
    model: str = ""  # the part of the variant that has it
    percent: bool = False

    @property
    def title(self) -> str:
        """The head of its column."""
        return f"{self.name.replace('_', ' ')} {self.model}".rstrip()


@dataclass(frozen=True)
class Case:
    """One training: a contestant with a seed."""

    contestant: Contestant
    seed: int
    name: str

    def record(self, folder: Path) -> Path:
        """Where its figures are."""
        return folder / f"{self.name}.json"

    def task(self, runs: Path, records: Path, options: Sequence[str] = ()) -> Task:
        """Train it, then record its scores."""
        variant, folder = self.contestant.variant, runs / self.name
        options = ("--seed", str(self.seed), *self.contestant.options, *options)
        ending = ("score", variant, "--output", folder, "--to", self.record(records))
        return Task(self.name, variant, folder, options, ending)


@dataclass(frozen=True)
class Study:
    """A question, who takes part, and which figures answer it."""

    title: str
    text: str
    contestants: tuple[Contestant, ...]
    figures: tuple[Figure, ...]
    seeds: int
    published: str  # the head of the column of published figures, and where they are from

    @property
    def cases(self) -> list[Case]:
        """Every training, the first seed of all before the second of any."""
        return [
            Case(contestant, seed, f"{contestant.what.replace(' ', '-')}-{seed}")
            for seed in range(self.seeds)
            for contestant in self.contestants
        ]


@dataclass(frozen=True)
class Record:
    """What came out of one case: the training, the size of all its networks, and the scores of its models by name."""

    training: Training
    parameters: int
    scores: dict[str, dict[str, float]]

    def value(self, variant: str, figure: Figure) -> float | None:
        """A figure, if this variant has it."""
        name = f"{variant}-{figure.model}" if figure.model else variant
        return ({"parameters": self.parameters} | self.training.observed | self.scores[name]).get(figure.name)


def check_record(trained: Trained, path: Path, *, replace: bool) -> None:
    """Refuse to replace a record that is not of the same training.

    Raises:
        UsageError: such a file is there.
        Failure: nothing can be written there.
    """
    same = path.is_file() and (before := records.find(Record, path)) and goes_on(before.training, trained.training)
    check_new(path, "choose another --to", replace=replace or bool(same))


def write_record(trained: Trained, models: Sequence[ModelMetadata], path: Path) -> None:
    """Keep the scores of one training's models."""
    scores = {model.name: {score.name: score.value for score in model.scores} for model in models}
    parameters = sum(weights.numel() for weights in trained.gan.parameters())
    record = Record(training=trained.training, parameters=parameters, scores=scores)
    records.write(record, path)


def table(study: Study, folder: Path) -> str:
    """What is recorded in the folder so far, a row for each contestant."""
    head = ["", "seeds", *(figure.title for figure in study.figures), "processor minutes", study.published]
    rows = [row for contestant in study.contestants if (row := _row(study, contestant, folder))]
    return markdown.table(head, rows) if rows else "Nothing is recorded yet."


def _row(study: Study, contestant: Contestant, folder: Path) -> list[str]:
    paths = [case.record(folder) for case in study.cases if case.contestant == contestant]
    kept = [records.read(Record, path) for path in paths if path.exists()]
    if not kept:
        return []
    figures = [_told([record.value(contestant.variant, figure) for record in kept], figure) for figure in study.figures]
    minutes = _minutes([record.training for record in kept])
    return [contestant.what, str(len(kept)), *figures, minutes, contestant.published or "-"]


def _minutes(trainings: Sequence[Training]) -> str:
    """The median, for each kind of hardware by itself."""
    seconds: dict[str, list[float]] = {}
    for training in trainings:
        seconds.setdefault(training.hardware, []).append(training.processor_seconds or 0)
    return ", ".join(f"{statistics.median(values) / 60:.0f} ({hardware})" for hardware, values in seconds.items())


def _told(values: Sequence[float | None], figure: Figure) -> str:
    """The median, and how far the seeds are apart."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    shown = [_shown(value, figure) for value in (statistics.median(known), min(known), max(known))]
    return shown[0] if len(set(shown)) == 1 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def _shown(value: float, figure: Figure) -> str:
    if figure.percent:
        return f"{value:.2%}"
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"
