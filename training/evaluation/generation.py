"""Score a model that generates images, beside real data and beside the untrained generator."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gan_serve.generator import Generator
from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data.dataset import Dataset, to_signed
from training.evaluation import scores as table
from training.evaluation.classifier import EvaluationClassifier
from training.evaluation.classifier_training import test_accuracy, train_classifier
from training.evaluation.context import SEED, Evaluation
from training.metrics import distribution

NEEDS_CLASSIFIER = True
IMAGES = 10_000
CLASSIFIER_EPOCHS = 10
METRICS = (
    "fcd", "inception_style_score", "smallest_class_share", "label_accuracy", "intra_class_diversity", "gan_train",
    "precision", "recall", "density", "coverage",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """Images (N, C, H, W) in [-1, 1] with the label of each, or none."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64] | None


def scores(context: Evaluation) -> list[Score]:
    """Return every one of `METRICS` that this kind of model has."""
    train, test, count = context.train, context.test, context.count
    fake, real = _generate(context.model, test, count), _real(train, count)
    control = _generate(context.untrained, test, count)
    value, floor, worst = (_measure(each, context) for each in (fake, real, control))
    if fake.labels is not None:
        value["gan_train"] = _gan_train(fake, train, test)
        floor["gan_train"] = _gan_train(real, train, test)
    return [
        table.score(name, value[name], real=floor[name], control=worst.get(name)) for name in METRICS if name in value
    ]


def distances(models: Iterable[Model], classifier: EvaluationClassifier, test: Dataset) -> Iterator[float]:
    """Yield the FCD of each model."""
    real = classifier.predict(_real(test, IMAGES).images)
    for model in models:
        fake = classifier.predict(_generate(model, test, IMAGES).images)
        yield table.score("fcd", distribution.frechet_distance(real.features, fake.features)).value


def protocol(context: Evaluation) -> str:
    """Describe what the scores were measured on."""
    return (
        f"{context.count:,} images of seed {SEED} against {len(context.images):,} test images, one training. "
        "The classifier is small, and was trained on the real training images "
        f"({context.classifier.facts['test_accuracy']:.2%} on the test set). "
        "Real: the same number of training images instead of generated ones. Control: the untrained generator. "
        f"Neighbourhoods of k = {distribution.NEIGHBOURS}."
    )


def _measure(sample: Sample, context: Evaluation) -> dict[str, float]:
    """Return the metrics of a sample beside the test images, without those that need a training."""
    reference, predicted = context.real, context.predict(torch.from_numpy(sample.images))
    metrics = {
        "fcd": distribution.frechet_distance(reference.features, predicted.features),
        "inception_style_score": distribution.inception_style_score(predicted.probabilities),
        "smallest_class_share": distribution.smallest_class_share(predicted.probabilities),
        **distribution.neighbourhoods(reference.features, predicted.features),
    }
    if sample.labels is not None:
        labels = context.test.labels[: len(context.images)].numpy()
        real_distance = distribution.intra_class_distance(reference.features, labels)
        metrics["label_accuracy"] = distribution.label_accuracy(predicted.probabilities, sample.labels)
        distance = distribution.intra_class_distance(predicted.features, sample.labels)
        metrics["intra_class_diversity"] = distance / real_distance
    return metrics


def _generate(model: Model, test: Dataset, count: int) -> Sample:
    """Generate images, no two from the same noise; balanced by label where the model's labels are the data's."""
    generator, image = Generator(model), model.metadata.drawn_outputs[0].name
    label = model.metadata.label
    if label is None or set(label.classes) != set(test.classes):
        return Sample(generator.generate(count, seed=SEED).outputs[image], None)
    each = count // len(label.classes)
    requests: list[dict[str, Any]] = [{label.name: name} for name in test.classes]
    rows = [
        generator.generate(each, seed=SEED, index=each * number, **request).outputs[image]
        for number, request in enumerate(requests)
    ]
    return Sample(np.concatenate(rows), np.repeat(np.arange(len(label.classes)), each))


def _real(dataset: Dataset, count: int) -> Sample:
    return Sample(to_signed(dataset.images[:count]).numpy(), dataset.labels[:count].numpy())


def _gan_train(sample: Sample, train: Dataset, test: Dataset) -> float:
    """Return the test accuracy of a classifier that was trained on the sample alone."""
    assert sample.labels is not None
    pixels = torch.from_numpy(sample.images).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    generated = Dataset(
        train.name, pixels, torch.from_numpy(sample.labels), train.classes, train.license, train.attribution
    )
    return test_accuracy(train_classifier(generated, CLASSIFIER_EPOCHS, SEED), test)
