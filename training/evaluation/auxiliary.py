"""Train the networks that score models, such as a classifier of the data, and write each as one ONNX file."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gan_serve.images.encoding import write_atomic
from training import export, progress
from training.data.dataset import Dataset
from training.gan import Game, Recipe
from training.loop.trainer import Trainer

PROPERTY = "judge"  # the metadata property of such a file that holds the facts
SomeGame = TypeVar("SomeGame", bound=Game)


def fit_auxiliary(
    game: Callable[[Dataset, Recipe], SomeGame], what: str, dataset: Dataset, *, epochs: int, batch: int, seed: int
) -> SomeGame:
    """Train a game of one player and return its average, on the CPU in evaluation mode; `what` names the network."""
    steps = epochs * (len(dataset.images) // batch)
    recipe = Recipe(
        dataset=dataset.name, steps=steps, batch_size=batch, learning_rate=1e-3, betas=(0.9, 0.999), ema=0.98,
        final_learning_rate=0.02,
    )  # fmt: skip
    torch.manual_seed(seed)
    trainer = Trainer(game(dataset, recipe), dataset, seed=seed)
    for _ in progress.track(trainer.train(), f"{what} of {dataset.name}", steps, unit="step"):
        pass
    average: SomeGame = trainer.average.module  # type: ignore[assignment]
    return average.cpu().eval()


def export_auxiliary(network: nn.Module, images: Tensor, outputs: Sequence[str]) -> bytes:
    """Return the ONNX file of a network of images (N, C, H, W), of which `images` are examples."""
    return export.to_onnx(network, (images,), ["image"], outputs)


def write_auxiliary(path: Path, content: bytes, facts: Mapping[str, Any]) -> None:
    """Write an exported network with the facts about its training."""
    write_atomic(path, export.with_property(content, PROPERTY, json.dumps(facts)))
