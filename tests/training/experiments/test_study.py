"""Comparisons over seeds: their trainings, records and tables."""

import dataclasses
import itertools
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gan_serve
from gan_serve.metadata import Training
from gan_serve.schema import encode
from training import variants
from training.__main__ import app
from training.cli.training import parsed
from training.experiments import studies
from training.experiments.study import Column, Contestant, Record, Study, table

FACTS = {"steps": 1, "batch_size": 1, "seed": 0, "precision": "fp32", "commit": "", "recipe": {}}
STUDY = Study(
    title="Losses",
    text="Which is best?",
    contestants=(Contestant("dcgan", "dcgan", published="26.5"), Contestant("lsgan", "with squares")),
    columns=(
        Column("fcd"),
        Column("test_error", "classifier", percent=True),
        Column("gradient_norm"),
        Column("parameters"),
    ),
    seeds=3,
    published="published FID",
)


def record(
    folder: Path, case: str, seconds: float, fcd: float, error: float, hardware: str = "CPU", **observed: float
) -> None:
    variant = "dcgan" if case.startswith("dcgan") else "lsgan"
    facts = FACTS | {"hardware": hardware, "duration_seconds": 3 * seconds, "processor_seconds": seconds}
    training = Training(**facts, observed=observed)
    scores = {variant: {"fcd": fcd}, f"{variant}-classifier": {"test_error": error}}
    found = Record(training=training, parameters=12_345, scores=scores)
    (folder / f"{case}.json").write_text(encode(found))


def test_a_table_shows_the_median_and_the_range_of_the_recorded_seeds(tmp_path: Path) -> None:
    assert table(STUDY, tmp_path) == "Nothing is recorded yet."
    for seed, fcd in enumerate((3.0, 1.0, 2.0)):
        record(tmp_path, f"dcgan-{seed}", 60 * (seed + 1), fcd, 0.01 * fcd, gradient_norm=1 + seed / 10)
    record(tmp_path, "with-squares-1", 30, 5, 0.5)
    record(tmp_path, "with-squares-2", 300, 5, 0.5, "GPU")
    assert table(STUDY, tmp_path).splitlines() == [
        "|  | seeds | fcd | test error classifier | gradient norm | parameters | processor minutes | published FID |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| dcgan | 3 | 2 (1 to 3) | 2.00% (1.00% to 3.00%) | 1.1 (1 to 1.2) | 12,345 | 2 (CPU) | 26.5 |",
        "| with squares | 2 | 5 | 50.00% | - | 12,345 | 0 (CPU), 5 (GPU) | - |",
    ]


def test_a_table_may_end_with_the_means_of_its_rows(tmp_path: Path) -> None:
    averaged = dataclasses.replace(STUDY, averaged=True, contestants=STUDY.contestants[:1], columns=(Column("fcd"),))
    assert table(averaged, tmp_path) == "Nothing is recorded yet."
    for case, fcd in (("dcgan-0", 1.0), ("dcgan-1", 2.0)):
        record(tmp_path, case, 60, fcd, 0.1)
    assert table(averaged, tmp_path).splitlines()[2:] == [
        "| dcgan | 2 | 1.5 (1 to 2) | 1 (CPU) | 26.5 |",
        "| mean | 2 | 1.5 | 1 (CPU) | - |",
    ]


def test_a_recorded_case_is_not_trained_again(tmp_path: Path) -> None:
    names = [case.name for case in studies.find("cogan").cases]
    for name in names:
        (tmp_path / "cogan").mkdir(exist_ok=True)
        (tmp_path / "cogan" / f"{name}.json").touch()
    done = CliRunner().invoke(
        app, ["study", "cogan", "--records", str(tmp_path), "--runs", str(tmp_path / "runs"), "--device", "cpu"]
    )
    assert (done.exit_code, done.stdout) == (0, "".join(f"{name}: recorded\n" for name in names))
    assert not (tmp_path / "runs").exists()


def test_an_unknown_study_is_an_error() -> None:
    done = CliRunner().invoke(app, ["study", "loses"])
    assert isinstance(done.exception, gan_serve.UsageError)
    assert str(done.exception).startswith("unknown study 'loses' (did you mean losses?)")


@pytest.mark.parametrize("study", studies.STUDIES.values(), ids=studies.STUDIES)
def test_every_case_has_a_unique_name_and_valid_settings(study: Study, tmp_path: Path) -> None:
    assert len({case.name for case in study.cases}) == len(study.cases) == study.seeds * len(study.contestants)
    for case in study.cases:
        command = case.task(tmp_path, tmp_path).training("cpu")
        assert command[command.index("--seed") + 1] == str(case.seed)
        settings = [after for option, after in itertools.pairwise(command) if option == "--set"]
        parsed(variants.find(case.contestant.variant).recipe, settings)
