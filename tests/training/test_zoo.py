"""Many trainings by one command, run for real on small data."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import gan_serve
from training import checkpoint
from training.zoo import is_published

ROOT = Path(__file__).parents[2]


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command, with 1,797 digits under the name of the data that the variants are trained on."""
    bunch = load_digits()
    images = np.pad(np.kron(bunch.images, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))) * 255 / 16
    images = images.astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", train_images=images[:1500], train_labels=bunch.target[:1500],
             test_images=images[1500:], test_labels=bunch.target[1500:])  # fmt: skip
    monkeypatch.setenv("GAN_SERVE_DATA", str(tmp_path))
    folders = ["--runs", str(tmp_path / "runs"), "--models", str(tmp_path / "models"), "--device", "cpu"]
    return [sys.executable, "-m", "training", "zoo", *folders]


def run(zoo: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*zoo, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


def test_a_variant_is_trained_and_published_once(zoo: list[str], tmp_path: Path) -> None:
    once = run(zoo, "gan", "--steps", "1")
    assert (once.returncode, once.stdout) == (0, "gan: published\n"), once.stderr
    metadata = gan_serve.load("gan", models=tmp_path / "models").metadata
    assert metadata.training.steps == 1
    assert metadata.scores
    trained = (tmp_path / "runs" / "gan" / "checkpoint.pt").stat().st_mtime_ns
    again = run(zoo, "gan")
    assert (again.returncode, again.stdout) == (0, "gan: published\n")
    assert (tmp_path / "runs" / "gan" / "checkpoint.pt").stat().st_mtime_ns == trained


def test_a_signal_leaves_checkpoints_to_go_on_from(zoo: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen([*zoo, "gan"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not list((tmp_path / "runs").glob("gan/tensorboard/events*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=100)
    assert (process.returncode, output) == (128 + signal.SIGTERM, "gan: not finished; call again to go on\n"), errors
    assert checkpoint.load(tmp_path / "runs" / "gan" / "checkpoint.pt", torch.device("cpu"))["step"] > 0


def test_when_the_minutes_are_over_it_ends_well_with_no_more_at_a_time_than_was_said(
    zoo: list[str], tmp_path: Path
) -> None:
    ended = run(zoo, "gan", "dcgan", "--jobs", "1", "--minutes", "0.02")
    assert (ended.returncode, ended.stdout.count("not finished")) == (0, 2)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["gan"]


def test_a_failure_is_told_with_its_log(zoo: list[str], tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"not an archive")
    failed = run(zoo, "gan", "--steps", "2")
    log = tmp_path / "runs" / "gan" / "log.txt"
    assert failed.returncode == 1
    assert f"error: gan failed, {log} says why" in failed.stderr
    assert "not a readable .npz file" in log.read_text()


def test_models_under_longer_names_are_a_variants_own(tmp_path: Path) -> None:
    checkpoint = tmp_path / "runs" / "cyclegan" / "checkpoint.pt"
    cards = [tmp_path / "models" / f"cyclegan-{way}" / "README.md" for way in ("a2b", "b2a")]
    for path in (checkpoint, *cards):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(checkpoint, (1, 1))
    assert is_published("cyclegan", tmp_path / "runs", tmp_path / "models")
    assert not is_published("gan", tmp_path / "runs", tmp_path / "models")
    for card in cards:
        os.utime(card, (0, 0))
    assert not is_published("cyclegan", tmp_path / "runs", tmp_path / "models")


def test_an_unknown_variant_is_told_before_anything_starts(zoo: list[str], tmp_path: Path) -> None:
    wrong = run(zoo, "gan", "gann")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: unknown variant 'gann' (did you mean gan")
    assert not (tmp_path / "runs").exists()
