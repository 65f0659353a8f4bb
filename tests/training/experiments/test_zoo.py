"""Many trainings by one command, run for real on small data."""

import dataclasses
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import Run
from sklearn.datasets import load_digits
from small_models import DIGIT, build_model

import gan_serve
from gan_serve.metadata import PROPERTY, Score
from training import export, variants
from training.experiments.zoo import is_published
from training.loop import checkpoint, runs

ROOT = Path(__file__).parents[3]
SCORE = Score(name="fcd", value=1.0, better="lower", description="Frechet distance")


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command's arguments, with 1,797 digits under the name of the data that the variants are trained on."""
    bunch = load_digits()
    images = np.pad(np.kron(bunch.images, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))) * 255 / 16
    images = images.astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", train_images=images[:1500], train_labels=bunch.target[:1500],
             test_images=images[1500:], test_labels=bunch.target[1500:])  # fmt: skip
    monkeypatch.setenv("GAN_SERVE_DATA", str(tmp_path))
    folders = ["--runs", str(tmp_path / "runs"), "--models", str(tmp_path / "models"), "--device", "cpu"]
    return ["zoo", *folders]


def test_a_variant_is_trained_and_published_once(zoo: list[str], tmp_path: Path, command: Run) -> None:
    """A completion is scored on the test set alone: here on 8 images, and not on 10,000 that are generated."""
    images = np.random.RandomState(0).randint(256, size=(40, 64, 64, 3), dtype=np.uint8)
    labels = np.arange(40) % 4
    np.savez(tmp_path / "lpc.npz", train_images=images[:32], train_labels=labels[:32],
             test_images=images[32:], test_labels=labels[32:])  # fmt: skip
    once = command(*zoo, "context_encoder", "--steps", "1")
    assert (once.code, once.out) == (0, "context_encoder: published\n"), once.error
    metadata = gan_serve.load("context_encoder", models=tmp_path / "models").metadata
    assert metadata.training.steps == 1
    assert metadata.scores
    trained = (tmp_path / "runs" / "context_encoder" / "checkpoint.pt").stat().st_mtime_ns
    again = command(*zoo, "context_encoder")
    assert (again.code, again.out) == (0, "context_encoder: published\n")
    assert (tmp_path / "runs" / "context_encoder" / "checkpoint.pt").stat().st_mtime_ns == trained


def test_a_signal_leaves_checkpoints_to_resume_from(zoo: list[str], tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "training", *zoo, "gan"]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not list((tmp_path / "runs").glob("gan/tensorboard/events*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=100)
    assert (process.returncode, output) == (
        128 + signal.SIGTERM,
        "gan: not finished; run the command again to continue\n",
    ), errors
    assert checkpoint.load(tmp_path / "runs" / "gan" / "checkpoint.pt", torch.device("cpu"))["step"] > 0


def test_it_stops_after_the_minutes_and_runs_no_more_jobs_than_requested(
    zoo: list[str], tmp_path: Path, command: Run
) -> None:
    ended = command(*zoo, "gan", "dcgan", "--jobs", "1", "--minutes", "0.02")
    assert (ended.code, ended.out.count("not finished")) == (0, 2)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["gan"]


def test_a_failure_is_reported_with_its_log(zoo: list[str], tmp_path: Path, command: Run) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"not an archive")
    failed = command(*zoo, "gan", "--steps", "2")
    log = tmp_path / "runs" / "gan" / "log.txt"
    assert failed.code == 1
    assert f"error: gan failed; see {log}" in failed.error
    assert "not a readable .npz file" in log.read_text()


def as_published(trained: runs.Trained, models: Path) -> None:
    """Write files that look published: the metadata of each model, and a graph that is not run here."""
    graph = build_model(DIGIT).SerializeToString()
    for part, servable in trained.gan.servables().items():
        metadata = dataclasses.replace(export.describe(trained, part, servable), scores=(SCORE,))
        path = models / metadata.name / "1" / "model.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(export.with_property(graph, PROPERTY, metadata.to_json()))
        (models / metadata.name / "README.md").touch()


def test_a_training_counts_as_published_only_with_all_models_of_its_last_step(
    tmp_path: Path, digits_file: Path
) -> None:
    trainings, models = tmp_path / "runs", tmp_path / "models"
    folder = trainings / "ebgan"
    folder.mkdir(parents=True)
    recipe = dataclasses.replace(variants.find("ebgan").recipe, steps=2, batch_size=16)
    runs.train(runs.Run("ebgan", recipe, str(digits_file)), folder, resume=False, device="cpu")
    assert not is_published("ebgan", trainings, models)
    as_published(runs.load_trained(folder, "ebgan"), models)
    assert is_published("ebgan", trainings, models)

    shutil.move(models / "ebgan", models / "another")
    assert not is_published("ebgan", trainings, models), "a longer name may be that of another training"
    shutil.move(models / "another", models / "ebgan")

    shutil.copy2(folder / "snapshots" / "1.pt", folder / "checkpoint.pt")
    assert not is_published("ebgan", trainings, models), "a repeated training has come half as far"
    as_published(runs.load_trained(folder, "ebgan"), models)
    assert not is_published("ebgan", trainings, models), "what is published is half a training"


def test_an_unknown_variant_is_an_error_before_anything_starts(zoo: list[str], tmp_path: Path, command: Run) -> None:
    wrong = command(*zoo, "gan", "gann")
    assert wrong.code == 2
    assert wrong.error.startswith("error: unknown variant 'gann' (did you mean gan")
    assert not (tmp_path / "runs").exists()
