"""Three digits in one image, and how many of the thousand triples a variant generates."""

import itertools
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import gan_serve
from training.__main__ import main
from training.data import loading
from training.data import stacked as stacking
from training.data.dataset import Dataset, to_signed
from training.data.stacked import Stacked
from training.evaluation.classifier import EvaluationClassifier
from training.experiments import stacked_mnist
from training.loop import runs
from training.metrics import distribution

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def stacked(digits: Dataset) -> Stacked:
    return stacking.stacked(digits)


def test_each_channel_is_a_real_digit_and_the_label_names_all_three(digits: Dataset, stacked: Stacked) -> None:
    real = zip(to_signed(digits.images), digits.labels, strict=True)
    known = {image.numpy().tobytes(): str(int(label)) for image, label in real}
    fixed = {"image": to_signed(stacked.images), "label": stacked.labels}
    for batch in (fixed, next(stacked.batches(64, 0, CPU))):
        for image, label in zip(batch["image"], batch["label"], strict=True):
            assert stacked.classes[label] == "".join(known[channel.numpy().tobytes()] for channel in image)


def test_a_step_has_the_same_batch_after_a_resume_and_another_one_with_another_seed(stacked: Stacked) -> None:
    whole = list(itertools.islice(stacked.batches(16, 3, CPU), 6))
    resumed = next(stacked.batches(16, 3, CPU, first_step=5))
    assert all(torch.equal(whole[5][name], resumed[name]) for name in ("image", "label"))
    assert not torch.equal(whole[0]["image"], whole[5]["image"])
    assert not torch.equal(whole[0]["image"], next(stacked.batches(16, 4, CPU))["image"])


def test_channels_are_combined_again_until_every_triple_has_occurred(stacked: Stacked) -> None:
    label = next(stacked.batches(20_000, 0, CPU))["label"]
    assert len(stacked.labels.unique()) < len(label.unique()) == 1_000


def test_modes_and_divergence_of_known_shares() -> None:
    every, one = np.repeat(np.arange(1_000), 26), np.full(500, 273)
    assert (distribution.modes(every), distribution.modes(one)) == (1_000, 1)
    assert distribution.divergence_from_uniform(every, 1_000) == pytest.approx(0, abs=1e-12)
    assert distribution.divergence_from_uniform(one, 1_000) == pytest.approx(math.log(1_000))
    assert distribution.divergence_from_uniform(np.arange(500), 1_000) == pytest.approx(math.log(2))
    unequal = distribution.divergence_from_uniform(np.array([0, 0, 0, 1]), 2)
    assert unequal == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with digits in MNIST's place: those of the shipped AC-GAN, whose labels are known."""
    drawn = gan_serve.load("acgan", device="cpu").generate(label="0-9", count=30, seed=0).array
    images, labels = ((drawn[:, 0] + 1) * 127.5).astype(np.uint8), np.repeat(np.arange(10), 30)
    folder = tmp_path_factory.mktemp("mnist")
    np.savez(folder / "mnist.npz", train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    return folder


def test_the_classifier_reads_all_three_digits_in_order(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_SERVE_DATA", str(mnist))
    batch = next(loading.load("stacked_mnist", "test").batches(300, 0, CPU))
    triples = stacked_mnist.read(batch["image"].numpy(), EvaluationClassifier("mnist"))
    assert (triples == batch["label"].numpy()).mean() > 0.95


def shapes(network: nn.Module) -> list[torch.Size]:
    """Of all that multiplies, without what normalises."""
    return [weights.shape for weights in network.parameters() if weights.dim() > 1]


def test_the_command_trains_resumes_and_scores_variants_of_the_same_networks(
    mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAN_SERVE_DATA", str(mnist))
    records = tmp_path / "records"
    options = ("--samples", "200", "--device", "cpu", "-o", str(tmp_path), "--records", str(records))
    for names, steps in (("dcgan", "1"), ("dcgan,wgan_gp", "2")):
        monkeypatch.setattr(sys, "argv", ["", "stacked-mnist", "--variants", names, "--steps", steps, *options])
        with pytest.raises(SystemExit) as exit:
            main()
        assert not exit.value.code
    said = capsys.readouterr().out.splitlines()
    real, *rows = said[-said[::-1].index(stacked_mnist.HEADER) :][:3]
    assert real.startswith("real test digits")
    assert 150 < int(real.split()[-2]) <= 200
    assert [row.split()[:2] for row in rows] == [["dcgan", "2"], ["wgan_gp", "2"]]
    assert any(line.startswith("WGAN-GP [2]") for line in said), "published figures stand beside them"
    kept = stacked_mnist.table(records).splitlines()
    assert [row.split(" | ")[2] for row in kept[2:5]] == [real.split()[-2], *(row.split()[2] for row in rows)]
    one, other = (runs.load_trained(tmp_path / f"{name}-0", name) for name in ("dcgan", "wgan_gp"))
    assert (one.training.steps, other.training.steps) == (2, 10), "WGAN-GP's critic takes five"
    assert shapes(one.gan.generator) == shapes(other.gan.generator)
    assert shapes(one.gan.discriminator) == shapes(other.gan.discriminator)
    for name in ("dcgan", "wgan_gp"):
        assert (tmp_path / f"{name}-0" / "sample.png").exists()
        model = gan_serve.load(name, models=tmp_path / f"{name}-0" / "models")
        assert model.generate(seed=0).array.shape == (1, 3, 28, 28)


def test_a_signal_leaves_a_checkpoint_and_the_message_says_how_to_resume(mnist: Path, tmp_path: Path) -> None:
    options = ("--steps", "160", "--samples", "9", "--device", "cpu", "-o", str(tmp_path))
    command = [sys.executable, "-m", "training", "stacked-mnist", *options]
    environment = os.environ | {"GAN_SERVE_DATA": str(mnist)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 100
    while not (tmp_path / "dcgan-0" / "checkpoint.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)  # until the first of the averages that are kept on the way
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert re.search(r"stopped by SIGTERM at step \d+; run the command again to continue", errors), errors
    assert runs.load_trained(tmp_path / "dcgan-0", "dcgan").training.steps < 160
