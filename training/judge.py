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
from training import datasets, export, hardware
from training.dataset import Dataset, to_signed
from training.gan import Batch, Game, ImageSpec, Player, Recipe, Stage, Terms
from training.jitter import shifted
from training.train import Trainer

FOLDER = Path(__file__).parent / "judges"
PROPERTY = "judge"
MAPS = "-maps"  # ends the names of the segmenters, which stand beside the judges
BATCH = 500
FEATURES = 128


class Classifier(nn.Module):
    """Image (N, C, H, W) in [-1, 1] -> class probabilities (N, K) and features (N, 128)."""

    def __init__(self, spec: ImageSpec) -> None:
        super().__init__()
        stride = max(1, spec.size // 32)  # of the first layer: a larger image becomes one of about 32 pixels
        size = -(-spec.size // stride)
        widths = (32, 64) if size < 32 else (32, 64, 64)
        blocks, before = [], spec.channels
        for width in widths:
            blocks += [*_block(before, width, stride), *_block(width, width), nn.MaxPool2d(2)]
            before, stride, size = width, 1, size // 2
        self.features = nn.Sequential(
            *blocks,
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * size * size, FEATURES), nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, len(spec.classes))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(image)
        return self.head(features).softmax(dim=1), features


def _block(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


class Classification(Game):
    """The game of one player: a classifier that learns the labels of slightly shifted images.

    Where the data has traits, it learns each of them with a head of its own: features of which only the label can be
    told need not show what else is right or wrong in a picture.
    """

    shift = 2  # pixels

    def __init__(self, dataset: Dataset, settings: Recipe) -> None:
        super().__init__(settings)
        self.mirrored = dataset.mirrored
        self.classifier = Classifier(dataset.spec)
        self.choices = dataset.traits.choices if dataset.traits else {}
        self.trait_heads = nn.ModuleList(nn.Linear(FEATURES, len(names)) for names in self.choices.values())

    def loss(self, batch: Batch) -> Terms:
        """Cross-entropy of the label, and of each trait."""
        images = shifted(batch["image"], self.shift, torch.randint(2 * self.shift + 1, (2,)))
        features = self.classifier.features(_half_mirrored(images) if self.mirrored else images)
        terms = {"label": F.cross_entropy(self.classifier.head(features).float(), batch["label"])}
        for number, (trait, head) in enumerate(zip(self.choices, self.trait_heads, strict=True)):
            terms[f"trait {trait}"] = F.cross_entropy(head(features).float(), batch["traits"][:, number])
        return terms

    def stages(self) -> list[Stage]:
        return [Stage({"classifier": Player([self.classifier, self.trait_heads], self.loss)})]


def _half_mirrored(images: Tensor) -> Tensor:
    return torch.where(torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5, images.flip(-1), images)


def train_classifier(dataset: Dataset, epochs: int, seed: int = 0) -> Classifier:
    """A classifier of the data set's classes, in evaluation mode; the same on every number of threads."""
    with hardware.one_thread():
        return _trained(dataset, epochs, seed).classifier


def _trained(dataset: Dataset, epochs: int, seed: int) -> Classification:
    steps = epochs * (len(dataset.images) // 128)
    settings = Recipe(
        dataset=dataset.name, steps=steps, batch_size=128, learning_rate=1e-3, betas=(0.9, 0.999),
        ema=0.98, final_learning_rate=0.02,
    )  # fmt: skip
    torch.manual_seed(seed)
    trainer = Trainer(Classification(dataset, settings), dataset, seed=seed)
    for _ in track(trainer.train(), f"classifier of {dataset.name}", total=steps, transient=True):
        pass
    game: Classification = trainer.average.module  # type: ignore[assignment]
    return game.cpu().eval()


def test_accuracy(classifier: Classifier, test: Dataset) -> float:
    """The share of test images that are recognised."""
    return _accuracy(classifier.head(_features(classifier, test)), test.labels)


def _trait_accuracies(game: Classification, test: Dataset) -> dict[str, float]:
    assert test.traits
    features = _features(game.classifier, test)
    each = zip(game.choices, game.trait_heads, test.traits.values.T, strict=True)
    return {trait: round(_accuracy(head(features), values), 4) for trait, head, values in each}


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return (logits.argmax(dim=1) == labels).float().mean().item()


@torch.no_grad()
def _features(classifier: Classifier, test: Dataset) -> Tensor:
    return torch.cat([classifier.features(to_signed(part)) for part in torch.split(test.images, BATCH)])


def make_judge(source: str, epochs: int, seed: int = 0, image_size: int = 28) -> tuple[Path, float]:
    """Train the judge of a data set and write it; returns its file and its accuracy on the test set.

    Images of a folder are resized to squares of `image_size` pixels, which should be that of the models to score.
    """
    train, test = datasets.load(source, image_size=image_size), datasets.load(source, "test", image_size)
    game = _trained(train, epochs, seed)
    accuracy = test_accuracy(game.classifier, test)
    facts = {"data": train.name, "test_accuracy": round(accuracy, 4), "epochs": epochs, "seed": seed}
    if test.traits:
        facts["trait_accuracy"] = _trait_accuracies(game, test)
    example = to_signed(test.images[:4])
    content = export.to_onnx(game.classifier, (example,), ["image"], ["probabilities", "features"])
    path = FOLDER / f"{train.name}.onnx"
    write_atomic(path, export.with_property(content, PROPERTY, json.dumps(facts)))
    return path, accuracy


def _told(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{height}x{width} pixels, {'grey' if channels == 1 else 'RGB'}"


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
            known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.onnx") if not file.stem.endswith(MAPS)))
            raise UsageError(f"no judge for {name}; there are {known}; train one with: python -m training judge {name}")
        content = path.read_bytes()
        properties = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
        self.facts: dict[str, Any] = json.loads(properties[PROPERTY])
        self.session = open_session(content, str(path), parse_device("cpu"), threads=torch.get_num_threads())

    def look(self, images: NDArray[np.float32]) -> Opinion:
        """Judge images (N, C, H, W) in [-1, 1].

        Raises:
            UsageError: they are not of the size, or not of the colours, that the judge has learned.
        """
        expected, given = tuple(self.session.get_inputs()[0].shape[1:]), images.shape[1:]
        if given != expected:
            raise UsageError(
                f"the judge of {self.facts['data']} knows images of {_told(expected)}, not of {_told(given)}; "
                "train one with: python -m training judge DATA --image-size PIXELS"
            )
        chunks = [images[first : first + BATCH] for first in range(0, len(images), BATCH)]
        opinions = [self.session.run(["probabilities", "features"], {"image": chunk}) for chunk in chunks]
        probabilities, features = (np.concatenate(column) for column in zip(*opinions, strict=True))
        return Opinion(probabilities, features)
