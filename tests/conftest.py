"""Fixtures for the tests of serving."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Outcome, Run
from small_models import (
    APART,
    CLASSIFIER,
    DIGIT,
    ENLARGER,
    FILLER,
    INSPECTOR,
    INVERTER,
    MENDER,
    NOISY,
    PAINTER,
    PAIR,
    PLAIN,
    POSER,
    SCORED,
    TURNED,
    save_model,
)

from gan_serve.cli import run as run_command


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of small models: with a label, with a scalar, in colour with neither, and some that take images."""
    root = tmp_path_factory.mktemp("models")
    drawing, seeing = (
        (DIGIT, PAIR, PLAIN, TURNED, SCORED, APART),
        (CLASSIFIER, INSPECTOR, INVERTER, NOISY, ENLARGER, FILLER, PAINTER, MENDER, POSER),
    )
    for metadata in drawing + seeing:
        save_model(root, metadata)
    return root


@pytest.fixture
def run(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in an empty folder, beside the small models."""
    monkeypatch.setenv("GAN_SERVE_MODELS", str(models))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*arguments: object) -> Outcome:
        code = run_command([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the tests of the server under load in their full length")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> Callable[[float, float], float]:
    """Chooses between the length of a test in the suite and its full one."""
    return lambda short, long: long if request.config.getoption("--full") else short
