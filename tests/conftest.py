"""What every test of serving starts from."""

from pathlib import Path

import pytest
from command_line import Outcome, Run
from small_models import (
    CLASSIFIER,
    DIGIT,
    ENLARGER,
    FILLER,
    INVERTER,
    MENDER,
    NOISY,
    PAINTER,
    PAIR,
    PLAIN,
    TURNED,
    save_model,
)

from gan_serve.cli import run as run_command


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of small models: with a label, with a scalar, in colour with neither, and some that take images."""
    root = tmp_path_factory.mktemp("models")
    drawing, seeing = (DIGIT, PAIR, PLAIN, TURNED), (CLASSIFIER, INVERTER, NOISY, ENLARGER, FILLER, PAINTER, MENDER)
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
