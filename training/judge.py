"""The judges: small classifiers, trained on real data alone, whose features and classes score what GANs make."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.media import write_atomic
from gan_serve.runtime import open_session, parse_device
from training import datasets, export
from training.datasets import Dataset
from training.gan import Batch, Game, ImageSpec, Player, Recipe, Stage, Terms
from training.train import Trainer

FOLDER = Path(__file__).parent / "judges"
PROPERTY = "judge"
BATCH = 500


class Classifier(nn.Module):
    """Image (N, C, H, W) in [-1, 1] -> class probabilities (N, K) and features (N, 128)."""

    def __init__(self, spec: ImageSpec) -> None:
        super().__init__()
        base = spec.size // 4
        self.features = nn.Sequential(
            *_block(spec.channels, 32), *_block(32, 32), nn.MaxPool2d(2),
            *_block(32, 64), *_block(64, 64), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * base * base, 128), nn.BatchNorm1d(128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, len(spec.classes))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(image)
        return self.head(features).softmax(dim=1), features


def _block(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


class Classification(Game):
    """The game of one player: a classifier that learns the labels of slightly shifted images."""

    shift = 2  # pixels

    def __init__(self, spec: ImageSpec, settings: Recipe) -> None:
        super().__init__(settings)
        self.classifier = Classifier(spec)

    def loss(self, batch: Batch) -> Terms:
        """Cross-entropy."""
        logits = self.classifier.head(self.classifier.features(self._shifted(batch["image"])))
        return {"cross_entropy": F.cross_entropy(logits.float(), batch["label"])}

    def _shifted(self, images: Tensor) -> Tensor:
        """Each batch moved by a few pixels; what comes in at the edges is the edge's colour."""
        top, left = torch.randint(2 * self.shift + 1, (2,)).tolist()
        size = images.shape[-1]
        padded = F.pad(images, (self.shift,) * 4, mode="replicate")
        return padded[:, :, top : top + size, left : left + size]

    def stages(self) -> list[Stage]:
        return [Stage({"classifier": Player([self.classifier], self.loss)})]


def train_classifier(dataset: Dataset, epochs: int, seed: int = 0) -> Classifier:
    """A classifier of the data set's classes, in evaluation mode."""
    steps = epochs * (len(dataset.images) // 128)
    settings = Recipe(
        dataset=dataset.name, steps=steps, batch_size=128, learning_rate=1e-3, betas=(0.9, 0.999),
        ema=0.98, final_learning_rate=0.02,
    )  # fmt: skip
    torch.manual_seed(seed)
    trainer = Trainer(Classification(dataset.spec, settings), dataset, seed=seed)
    for _ in track(trainer.train(), f"classifier of {dataset.name}", total=steps, transient=True):
        pass
    classifier: Classifier = trainer.average.module.classifier  # type: ignore[assignment]
    return classifier.cpu().eval()


def test_accuracy(classifier: Classifier, test: Dataset) -> float:
    """The share of test images that are recognised."""
    with torch.no_grad():
        guesses = [
            classifier(datasets.to_signed(images))[0].argmax(dim=1) for images in torch.split(test.images, BATCH)
        ]
    return (torch.cat(guesses) == test.labels).float().mean().item()


def make_judge(source: str, epochs: int, seed: int = 0) -> tuple[Path, float]:
    """Train the judge of a data set and write it; returns its file and its accuracy on the test set."""
    train, test = datasets.load(source), datasets.load(source, "test")
    classifier = train_classifier(train, epochs, seed)
    accuracy = test_accuracy(classifier, test)
    example = datasets.to_signed(test.images[:4])
    content = export.to_onnx(classifier, (example,), ["image"], ["probabilities", "features"])
    facts = {"data": train.name, "test_accuracy": round(accuracy, 4), "epochs": epochs, "seed": seed}
    path = FOLDER / f"{train.name}.onnx"
    write_atomic(path, export.with_property(content, PROPERTY, json.dumps(facts)))
    return path, accuracy


@dataclass(frozen=True)
class Opinion:
    """What a judge makes of images."""

    probabilities: NDArray[np.float32]  # (N, K)
    features: NDArray[np.float32]  # (N, D)


class Judge:
    """The shipped judge of a data set.

    Raises:
        UsageError: there is none for this data.
    """

    def __init__(self, name: str) -> None:
        path = FOLDER / f"{name}.onnx"
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.onnx")))
            raise UsageError(f"no judge for {name}; there are {known}; train one with: python -m training judge {name}")
        content = path.read_bytes()
        properties = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
        self.facts: dict[str, Any] = json.loads(properties[PROPERTY])
        self.session = open_session(content, str(path), parse_device("cpu"), threads=torch.get_num_threads())

    def look(self, images: NDArray[np.float32]) -> Opinion:
        """Judge images (N, C, H, W) in [-1, 1]."""
        chunks = [images[first : first + BATCH] for first in range(0, len(images), BATCH)]
        opinions = [self.session.run(["probabilities", "features"], {"image": chunk}) for chunk in chunks]
        probabilities, features = (np.concatenate(column) for column in zip(*opinions, strict=True))
        return Opinion(probabilities, features)
