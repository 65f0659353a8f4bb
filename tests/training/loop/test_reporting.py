"""Reports of a running training: progress, TensorBoard values and warnings."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from training.data.dataset import Dataset, DataSpec
from training.gan import GAN, Recipe
from training.loop import reporting as reports
from training.loop.trainer import Trainer


class Tiny(GAN):
    def __init__(self, spec: DataSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        size = spec.size
        self.generator = nn.Sequential(
            nn.Linear(self.latent_size, size**2), nn.Tanh(), nn.Unflatten(1, (1, size, size))
        )
        self.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(size**2, 1))


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, steps in (("LOG_STEPS", 5), ("IMAGE_STEPS", 20), ("CERTAIN_STEPS", 20)):
        monkeypatch.setattr(reports, name, steps)


def train(folder: Path, digits: Dataset, change: Any = None) -> str:
    """Train for 60 steps; return the printed text."""
    game = Tiny(digits.spec, Recipe(dataset="digits", steps=60, batch_size=8))
    if change:
        with torch.no_grad():
            change(game)
    trainer = Trainer(game, digits, seed=0, precision="fp32", device="cpu")
    console = Console(file=io.StringIO(), width=200)
    with reports.Report(folder, 60, digits, console) as report:
        for terms in trainer.train():
            report.after_step(trainer, terms)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_healthy_training_logs_losses_diagnostics_and_images_without_a_warning(
    tmp_path: Path, digits: Dataset
) -> None:
    printed = train(tmp_path, digits)
    assert "warning" not in printed
    assert "images/s" in printed
    log = EventAccumulator(str(tmp_path / "tensorboard"))
    log.Reload()
    assert {"D(real)", "D(fake)", "generator/adversarial"} <= set(log.Tags()["scalars"])
    assert log.Tags()["images"]


def test_a_certain_discriminator_raises_one_warning(tmp_path: Path, digits: Dataset) -> None:
    def make_certain(game: Tiny) -> None:
        game.settings = Recipe(dataset="digits", steps=60, batch_size=8, learning_rate=1e-9)
        game.generator[0].weight.zero_()  # type: ignore[union-attr, operator]
        game.generator[0].bias.fill_(9.0)  # type: ignore[union-attr, operator]
        game.discriminator[1].weight.fill_(-1.0)  # type: ignore[union-attr, operator]

    printed = train(tmp_path, digits, make_certain)
    assert printed.count("the discriminator has been certain") == 1


def test_a_collapse_raises_a_warning(tmp_path: Path, digits: Dataset) -> None:
    printed = train(tmp_path, digits, lambda game: game.generator[0].weight.zero_())
    assert "all samples look alike" in printed
