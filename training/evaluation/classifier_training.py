"""Train the evaluation classifiers: small networks that see real data alone."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training import progress
from training.data import loading
from training.data.dataset import Batch, Dataset, DataSpec, Terms, to_signed
from training.data.transforms import shifted
from training.evaluation import classifier
from training.evaluation.auxiliary import export_auxiliary, fit_auxiliary, write_auxiliary
from training.evaluation.scores import DIGITS
from training.gan import Game, Player, Recipe, Stage
from training.inference import BATCH
from training.loop import devices
from training.loop.replacing import check_new

FEATURES = 128
BATCHES = 8  # of an epoch at least, so that a few hundred images are enough to learn something


class Classifier(nn.Module):
    """Image (N, C, H, W) in [-1, 1] -> class probabilities (N, K) and features (N, 128)."""

    def __init__(self, spec: DataSpec) -> None:
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
    """A game of one player: a classifier that learns the labels of slightly shifted images.

    Where the data has traits, a head of its own learns each of them: features that only separate the labels need not
    show what else is right or wrong in an image.
    """

    shift = 2  # pixels

    def __init__(self, dataset: Dataset, settings: Recipe) -> None:
        super().__init__(settings)
        self.mirrored = dataset.mirrored
        self.classifier = Classifier(dataset.spec)
        self.choices = dataset.traits.choices if dataset.traits else {}
        self.trait_heads = nn.ModuleList(nn.Linear(FEATURES, len(names)) for names in self.choices.values())

    def loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of the label and of each trait."""
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
    """Train a classifier of the data set's classes, in evaluation mode; the same on every number of threads."""
    with devices.one_thread():
        return _fit(dataset, epochs, seed).classifier


def _fit(dataset: Dataset, epochs: int, seed: int) -> Classification:
    batch = max(2, min(128, len(dataset.images) // BATCHES))
    return fit_auxiliary(Classification, "classifier", dataset, epochs=epochs, batch=batch, seed=seed)


def test_accuracy(trained: Classifier, test: Dataset) -> float:
    """Return the share of test images that are recognised."""
    return _accuracy(trained.head(_features(trained, test)), test.labels)


def _trait_accuracies(game: Classification, test: Dataset) -> dict[str, float]:
    assert test.traits
    features = _features(game.classifier, test)
    each = zip(game.choices, game.trait_heads, test.traits.values.T, strict=True)
    return {trait: round(_accuracy(head(features), values), DIGITS) for trait, head, values in each}


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return (logits.argmax(dim=1) == labels).float().mean().item()


@torch.no_grad()
def _features(trained: Classifier, test: Dataset) -> Tensor:
    return torch.cat([trained.features(to_signed(part)) for part in torch.split(test.images, BATCH)])


def make_classifier(
    source: str, epochs: int, seed: int = 0, image_size: int = 28, *, replace: bool = False
) -> tuple[Path, float]:
    """Train the classifier of a data set and write it; return its file and its accuracy on the test set.

    Images of a folder are resized to squares of `image_size` pixels, which should be the size of the models to score.

    Raises:
        UsageError: there is a classifier of data of this name, and `replace` is false.
    """
    with progress.working(f"loading {source}"):
        train, test = loading.load(source, image_size=image_size), loading.load(source, "test", image_size)
    path = classifier.FOLDER / f"{train.name}.onnx"
    check_new(path, "rename the data, which names its classifier", replace=replace)
    game = _fit(train, epochs, seed)
    accuracy = test_accuracy(game.classifier, test)
    facts = {"data": train.name, "test_accuracy": round(accuracy, DIGITS), "epochs": epochs, "seed": seed}
    facts |= {"classes": list(train.classes), "guessed": round(_largest_share(test), DIGITS)}
    if test.traits:
        facts["trait_accuracy"] = _trait_accuracies(game, test)
    with progress.working(f"export of the classifier of {train.name}"):
        content = export_auxiliary(game.classifier, to_signed(test.images[:4]), ["probabilities", "features"])
    write_auxiliary(path, content, facts)
    classifier.warn_if_poor(facts)
    return path, accuracy


def _largest_share(test: Dataset) -> float:
    """Return the accuracy of always guessing the most frequent class."""
    return float(test.labels.bincount().max()) / len(test.labels)
