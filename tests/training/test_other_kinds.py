"""A variant that makes numbers, from data in a file to answers: only kinds of tensor know that images exist."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import Run

import gan_serve

NAME = "bell"
SOURCE = '''
import torch
from torch import nn

from gan_serve.metadata import Paper, Score
from training.data.dataset import DataSpec
from training.gan import GAN, Recipe


class BellGAN(GAN):
    """Latent (N, 8) -> numbers (N,)."""

    paper = Paper(title="None", authors="Nobody", year=2026, url="https://example.com")
    recipe = Recipe(dataset="bell", steps=2, batch_size=64, learning_rate=1e-2)
    latent_size = 8
    scored_by = "own"

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
        self.discriminator = nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))

    @classmethod
    def own_scores(cls, context):
        (heights,) = context.generate()[1].values()
        error = abs(heights.mean() - torch.as_tensor(context.test.images).mean()).item()
        return [Score(name="mean_error", value=error, better="lower", description="of the mean")]
'''
TENSOR = '{"kind": "score", "name": "height", "low": 0, "high": 10}'


@pytest.fixture
def bell(add_variant: Callable[[str, str], None]) -> None:
    """The variant, saved among the others."""
    add_variant(NAME, SOURCE)


def write_heights(path: Path, *, tensor: str = TENSOR, shape: tuple[int, ...] = ()) -> Path:
    heights = np.random.default_rng(0).normal(5, 1, (200, *shape)).astype(np.float32)
    np.savez(path, train_images=heights[:160], test_images=heights[160:], tensor=tensor)
    return path


@pytest.mark.usefixtures("bell")
def test_numbers_are_learned_scored_and_served_without_a_classifier(command: Run, tmp_path: Path) -> None:
    data, models = write_heights(tmp_path / "heights.npz"), tmp_path / "models"
    output = ["--output", tmp_path / "run"]
    train = command("train", NAME, "--data", data, "--steps", 80, *output, "--precision", "fp32")
    assert train.code == 0, train.error
    assert "1 class (0), score; training" in train.error
    exported = command("export", NAME, *output, "--models", models)
    assert exported.code == 0, exported.error
    evaluated = command("evaluate", NAME, "--models", models, "--data", data)
    assert evaluated.code == 0, evaluated.error
    generator = gan_serve.load(NAME, models=models)
    (score,) = generator.metadata.scores
    assert score.control is not None
    assert score.value < score.control, "training moved the mean towards the data"
    heights = [answer["height"] for answer in generator.generate(20, seed=0).answers()]
    assert len(set(heights)) == 20


def test_networks_for_images_refuse_other_data(command: Run, tmp_path: Path) -> None:
    data = write_heights(tmp_path / "heights.npz")
    ended = command("train", "dcgan", "--data", data, "--output", tmp_path / "run")
    assert ended.code == 2
    assert ended.error.splitlines()[-1].endswith("these networks need images, and this data is of the kind score")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"shape": (2,)},
            "each example is float32 of shape (2,), but the description of its kind, score, needs",
        ),
        ({"tensor": "{"}, "not a readable .npz file of plain arrays"),
        ({"tensor": '{"kind": "smell", "name": "x"}'}, "kind 'smell' is not one of image, score, probabilities"),
    ],
)
def test_a_wrong_description_is_refused_in_one_line(
    command: Run, tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    data = write_heights(tmp_path / "heights.npz", **change)  # type: ignore[arg-type]
    ended = command("train", "dcgan", "--data", data, "--output", tmp_path / "run")
    assert ended.code == 1
    assert problem in ended.error.splitlines()[-1]
