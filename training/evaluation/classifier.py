"""The judges: small classifiers, trained on real data alone, whose features and classes score what GANs make."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.images.encoding import write_atomic
from training import export
from training.data import loading
from training.data.dataset import Batch, Dataset, ImageSpec, Terms, to_signed
from training.data.transforms import shifted
from training.gan import Game, Player, Recipe, Stage
from training.inference import open_network, run_in_batches
from training.loop import devices, progress
from training.loop.replacing import check_new
from training.loop.trainer import Trainer
from training.metrics.prediction import Prediction

FOLDER = Path(__file__).parents[1] / "judges"
PROPERTY = "judge"
MAPS = "-maps"  # ends the names of the segmenters, which stand beside the judges
BATCH = 500
FEATURES = 128
BATCHES = 8  # of an epoch at least, so that a judge of a few hundred images learns something, too
BARELY = 0.25  # of the way from guessing to knowing: a judge that has not come so far is of little use


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
    told need not show what else is right or wrong in an image.
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
    with devices.one_thread():
        return _trained(dataset, epochs, seed).classifier


def _trained(dataset: Dataset, epochs: int, seed: int) -> Classification:
    batch = max(2, min(128, len(dataset.images) // BATCHES))
    steps = epochs * (len(dataset.images) // batch)
    settings = Recipe(
        dataset=dataset.name, steps=steps, batch_size=batch, learning_rate=1e-3, betas=(0.9, 0.999),
        ema=0.98, final_learning_rate=0.02,
    )  # fmt: skip
    torch.manual_seed(seed)
    trainer = Trainer(Classification(dataset, settings), dataset, seed=seed)
    for _ in progress.track(trainer.train(), f"classifier of {dataset.name}", steps, unit="step"):
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


def make_judge(
    source: str, epochs: int, seed: int = 0, image_size: int = 28, *, replace: bool = False
) -> tuple[Path, float]:
    """Train the judge of a data set and write it; returns its file and its accuracy on the test set.

    Images of a folder are resized to squares of `image_size` pixels, which should be that of the models to score.

    Raises:
        UsageError: a judge of data of this name is there, which is not to be replaced.
    """
    with progress.working(f"loading {source}"):
        train, test = loading.load(source, image_size=image_size), loading.load(source, "test", image_size)
    path = FOLDER / f"{train.name}.onnx"
    check_new(path, "rename the data, after which its judge is called", replace=replace)
    game = _trained(train, epochs, seed)
    accuracy = test_accuracy(game.classifier, test)
    guessed = test.labels.bincount().max().item() / len(test.labels)
    facts = {"data": train.name, "test_accuracy": round(accuracy, 4), "epochs": epochs, "seed": seed}
    facts |= {"classes": list(train.classes), "guessed": round(guessed, 4)}
    if test.traits:
        facts["trait_accuracy"] = _trait_accuracies(game, test)
    example = to_signed(test.images[:4])
    with progress.working(f"export of the judge of {train.name}"):
        content = export.to_onnx(game.classifier, (example,), ["image"], ["probabilities", "features"])
    write_atomic(path, export.with_property(content, PROPERTY, json.dumps(facts)))
    _warn_if_poor(facts)
    return path, accuracy


def _warn_if_poor(facts: dict[str, Any]) -> None:
    """Say what the scores of a judge are worth that does little more than guess."""
    accuracy, guessed = facts["test_accuracy"], facts.get("guessed", 0.0)  # which older judges do not tell
    if accuracy <= guessed + BARELY * (1 - guessed):  # for a single class, too, of which nothing is learned
        progress.warn(
            f"the judge of {facts['data']} recognises {accuracy:.2%} of the test set, where guessing finds "
            f"{guessed:.2%}, so that its scores mean little; train it on more images, or for more --epochs"
        )


def _told(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{height}x{width} pixels, {'grey' if channels == 1 else 'RGB'}"


def judge_command(source: str, size: int | None = None) -> str:
    """How to train the judge of data."""
    sized = ["--image-size", str(size)] if size else []
    return shlex.join(["python", "-m", "training", "judge", source, *sized])


class EvaluationClassifier:
    """The judge of a data set; `source` is where that is, if not under its known name.

    Raises:
        UsageError: there is none for this data.
    """

    def __init__(self, name: str, source: str | None = None, size: int | None = None) -> None:
        path = FOLDER / f"{name}.onnx"
        self._command = judge_command(source or name, size)
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.onnx") if not file.stem.endswith(MAPS)))
            raise UsageError(f"no judge for {name}; there are {known}; train one with: {self._command}")
        content = path.read_bytes()
        properties = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
        self.facts: dict[str, Any] = json.loads(properties[PROPERTY])
        self.session = open_network(content, str(path))

    @classmethod
    def of(cls, dataset: Dataset, source: str | None) -> "EvaluationClassifier":
        """The judge of this very data, which has learned images like these.

        Raises:
            UsageError: there is none, or it is of other data of the same name.
        """
        is_folder = source is not None and Path(source).is_dir()
        judge = cls(dataset.name, source, dataset.spec.size if is_folder else None)
        classes = judge.facts.get("classes", list(dataset.classes))  # which older judges do not tell
        if classes != list(dataset.classes):
            raise UsageError(
                f"the judge of {dataset.name} has learned other data of that name, with the classes "
                f"{', '.join(classes)}; rename the data, or train its judge with: {judge._command} --replace"
            )
        judge.check(tuple(dataset.images.shape[1:]))
        _warn_if_poor(judge.facts)
        return judge

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images (C, H, W) that are not of the size, or not of the colours, that the judge has learned.

        Raises:
            UsageError: they are not.
        """
        expected = tuple(self.session.get_inputs()[0].shape[1:])
        if shape != expected:
            raise UsageError(
                f"the judge of {self.facts['data']} knows images of {_told(expected)}, not of {_told(shape)}; "
                f"train one with: {self._command} --replace"
            )

    def look(self, images: NDArray[np.float32]) -> Prediction:
        """Judge images (N, C, H, W) in [-1, 1]; raises as `check` does."""
        self.check(images.shape[1:])
        return Prediction(*run_in_batches(self.session, {"image": images}, ["probabilities", "features"], BATCH))
