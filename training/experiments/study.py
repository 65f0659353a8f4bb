"""A comparison of variants and settings over several seeds, its records, and the table of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_serve.metadata import ModelMetadata, Training
from training.experiments import records
from training.experiments.zoo import TrainingTask
from training.loop.replacing import check_new, continues
from training.loop.runs import Trained
from training.publishing import markdown


@dataclass(frozen=True)
class Contestant:
    """One row of the table."""

    variant: str
    title: str
    options: tuple[str, ...] = ()  # of its training
    published: str = ""


@dataclass(frozen=True)
class Column:
    """One column of the table: a score of a model, or a diagnostic of the last steps of a training."""

    name: str
    model: str = ""  # the part of the variant that has it
    percent: bool = False

    @property
    def title(self) -> str:
        """The head of the column."""
        return f"{self.name.replace('_', ' ')} {self.model}".rstrip()


@dataclass(frozen=True)
class Case:
    """One training: a contestant with a seed."""

    contestant: Contestant
    seed: int
    name: str

    def record(self, folder: Path) -> Path:
        """Return the file of its record."""
        return folder / f"{self.name}.json"

    def task(self, runs: Path, records: Path, options: Sequence[str] = ()) -> TrainingTask:
        """Return the task that trains it and then records its scores."""
        variant, folder = self.contestant.variant, runs / self.name
        options = ("--seed", str(self.seed), *self.contestant.options, *options)
        ending = ("score", variant, "--output", folder, "--to", self.record(records))
        return TrainingTask(self.name, variant, folder, options, ending)


@dataclass(frozen=True)
class Study:
    """A question, the trainings that are compared, and the columns that answer it."""

    title: str
    text: str
    contestants: tuple[Contestant, ...]
    columns: tuple[Column, ...]
    seeds: int
    published: str  # the head of the column of published results, with their source
    averaged: bool = False  # whether the last row is the mean of the others

    @property
    def cases(self) -> list[Case]:
        """Every training, ordered by seed."""
        return [
            Case(contestant, seed, f"{contestant.title.replace(' ', '-')}-{seed}")
            for seed in range(self.seeds)
            for contestant in self.contestants
        ]


@dataclass(frozen=True)
class Record:
    """The result of one case: the training, the size of all its networks, and the scores of its models by name."""

    training: Training
    parameters: int
    scores: dict[str, dict[str, float]]

    def value(self, variant: str, column: Column) -> float | None:
        """Return the value of a column, or None if the variant has none."""
        name = f"{variant}-{column.model}" if column.model else variant
        return ({"parameters": self.parameters} | self.training.observed | self.scores[name]).get(column.name)


def check_record(trained: Trained, path: Path, *, replace: bool) -> None:
    """Refuse to replace a record of another training, or any other file.

    Raises:
        UsageError: such a file exists.
        Failure: the record cannot be written there.
    """
    same = path.is_file() and (before := records.find(Record, path)) and continues(before.training, trained.training)
    check_new(path, "choose another --to", replace=replace or bool(same))


def write_record(trained: Trained, models: Sequence[ModelMetadata], path: Path) -> None:
    """Write the record of one training and its models."""
    scores = {model.name: {score.name: score.value for score in model.scores} for model in models}
    parameters = sum(weights.numel() for weights in trained.gan.parameters())
    record = Record(training=trained.training, parameters=parameters, scores=scores)
    records.write(record, path)


def table(study: Study, folder: Path) -> str:
    """Return the records in the folder so far, a row for each contestant."""
    head = ["", "seeds", *(column.title for column in study.columns), "processor minutes", study.published]
    rows = [row for contestant in study.contestants if (row := _row(study, contestant, folder))]
    means = [_means(study, folder)] if study.averaged and rows else []
    return markdown.table(head, rows + means) if rows else "Nothing is recorded yet."


def _row(study: Study, contestant: Contestant, folder: Path) -> list[str]:
    paths = [case.record(folder) for case in study.cases if case.contestant == contestant]
    recorded = [records.read(Record, path) for path in paths if path.exists()]
    if not recorded:
        return []
    cells = [
        _cell([record.value(contestant.variant, column) for record in recorded], column) for column in study.columns
    ]
    minutes = _minutes([record.training for record in recorded])
    return [contestant.title, str(len(recorded)), *cells, minutes, contestant.published or "-"]


def _means(study: Study, folder: Path) -> list[str]:
    """Return the row of the means over all records."""
    variant = study.contestants[0].variant
    recorded = [records.read(Record, case.record(folder)) for case in study.cases if case.record(folder).exists()]
    cells = [_cell([statistics.fmean(_known(recorded, variant, column))], column) for column in study.columns]
    return ["mean", str(len(recorded)), *cells, _minutes([record.training for record in recorded]), "-"]


def _known(recorded: Sequence[Record], variant: str, column: Column) -> list[float]:
    return [value for record in recorded if (value := record.value(variant, column)) is not None]


def _minutes(trainings: Sequence[Training]) -> str:
    """Return the median for each kind of hardware."""
    seconds: dict[str, list[float]] = {}
    for training in trainings:
        seconds.setdefault(training.hardware, []).append(training.processor_seconds or 0)
    return ", ".join(f"{statistics.median(values) / 60:.0f} ({hardware})" for hardware, values in seconds.items())


def _cell(values: Sequence[float | None], column: Column) -> str:
    """Return the median and the range over the seeds."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    median, low, high = (_formatted(value, column) for value in (statistics.median(known), min(known), max(known)))
    return median if low == median == high else f"{median} ({low} to {high})"


def _formatted(value: float, column: Column) -> str:
    if column.percent:
        return f"{value:.2%}"
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"
