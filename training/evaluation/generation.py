"""Score a model that draws images, beside real data and beside the untrained generator."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_serve.generator import Generator
from gan_serve.metadata import Score
from gan_serve.repository import Model
from gan_serve.sampling import Arrays
from training import variants
from training.data.dataset import Dataset, Tensors, to_signed
from training.evaluation.classifier import EvaluationClassifier, test_accuracy, train_classifier
from training.gan import Draw, EvaluationContext
from training.metrics import distribution
from training.metrics.prediction import Prediction

IMAGES = 10_000
SEED = 1  # of the images that are scored; the sample in the card has another
CLASSIFIER_EPOCHS = 10

Better = Literal["higher", "lower"]
DESCRIPTIONS: dict[str, tuple[Better, str]] = {
    "fcd": ("lower", "Frechet distance on the judge's features; not comparable with an Inception FID"),
    "inception_style_score": (
        "higher",
        "exp of the mutual information of image and class; at most the number of classes",
    ),
    "smallest_class_share": ("higher", "share of the rarest class; 0 where a class is never drawn"),
    "label_accuracy": ("higher", "share of images that the judge takes for the class that was asked for"),
    "intra_class_diversity": ("higher", "mean feature distance within a class, as a share of that of real images"),
    "gan_train": ("higher", "test accuracy of a classifier trained on the generated images alone"),
    "precision": ("higher", "share of generated images that lie among real ones"),
    "recall": ("higher", "share of real images that lie among generated ones"),
    "density": ("higher", "how many real neighbourhoods a generated image lies in; about 1 for real images"),
    "coverage": ("higher", "share of real images with a generated one in their neighbourhood"),
}


@dataclass(frozen=True)
class Sample:
    """Images (N, C, H, W) in [-1, 1] with the label of each, or none."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64] | None


def scores(model: Model, untrained: Model, judge: EvaluationClassifier, train: Dataset, test: Dataset) -> list[Score]:
    """All figures that `DESCRIPTIONS` names and that this kind of model can have, and the variant's own."""
    tested = _real(test)
    reference, labels = judge.look(tested.images), test.labels[: len(tested.images)].numpy()
    fake, real, control = _draw(model, test), _real(train), _draw(untrained, test)
    value, floor, worst = (_figures(each, judge, reference, labels) for each in (fake, real, control))
    if fake.labels is not None:
        value["gan_train"] = _gan_train(fake, train, test)
        floor["gan_train"] = _gan_train(real, train, test)
    common = [
        Score(
            name=name,
            value=round(value[name], 4),
            better=better,
            description=description,
            real=round(floor[name], 4),
            control=round(worst[name], 4) if name in worst else None,
        )
        for name, (better, description) in DESCRIPTIONS.items()
        if name in value
    ]
    return common + _own_scores(model, untrained, judge, reference, torch.from_numpy(tested.images))


def _own_scores(
    model: Model, untrained: Model, judge: EvaluationClassifier, real: Prediction, images: Tensor
) -> list[Score]:
    """What the variant itself measures, beside the same of the untrained model."""
    variant = variants.find(model.metadata.variant)
    evidences = [
        EvaluationContext(_drawer(each), lambda drawn: judge.look(drawn.numpy()), real, images)
        for each in (model, untrained)
    ]
    values, controls = map(variant.own_scores, evidences)
    return [
        replace(score, value=round(score.value, 4), real=_rounded(score.real), control=round(control.value, 4))
        for score, control in zip(values, controls, strict=True)
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def distances(models: Iterable[Model], judge: EvaluationClassifier, test: Dataset) -> Iterator[float]:
    """The Frechet distance alone, of one model after the other."""
    reference = judge.look(_real(test).images)
    for model in models:
        drawn = judge.look(_draw(model, test).images)
        yield round(distribution.frechet_distance(reference.features, drawn.features), 4)


def protocol(judge: EvaluationClassifier, test: Dataset) -> str:
    """What the scores were measured on."""
    return (
        f"{IMAGES:,} images of seed {SEED} against {len(test.images[:IMAGES]):,} test images, one training. "
        f"The judge is a small classifier trained on the real training images "
        f"({judge.facts['test_accuracy']:.2%} on the test set). "
        "Real: training images, as many, in place of generated ones. Control: the untrained generator. "
        f"Neighbourhoods of k = {distribution.NEIGHBOURS}."
    )


def _drawer(model: Model) -> Draw:
    generator = Generator(model)

    def draw(change: Callable[[Tensors], Tensors] | None = None, /, **inputs: Any) -> tuple[Tensors, Tensors]:
        drawing = _Changing(model, change) if change else generator
        result = drawing.generate(IMAGES, seed=SEED, **inputs)
        chosen = {name: torch.tensor([item.inputs[name] for item in result.items]) for name in result.items[0].inputs}
        return chosen, _as_tensors(result.outputs)

    return draw


class _Changing(Generator):
    """A generator that feeds its graph something else than what a request says."""

    def __init__(self, model: Model, change: Callable[[Tensors], Tensors]) -> None:
        super().__init__(model)
        self._change = change

    def infer(self, arrays: Arrays) -> Arrays:
        return super().infer({name: value.numpy() for name, value in self._change(_as_tensors(arrays)).items()})


def _as_tensors(arrays: Arrays) -> Tensors:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _figures(
    sample: Sample, judge: EvaluationClassifier, reference: Prediction, labels: NDArray[np.int64]
) -> dict[str, float]:
    """What the judge makes of a sample, beside the reference, real images with these labels."""
    opinion = judge.look(sample.images)
    found = {
        "fcd": distribution.frechet_distance(reference.features, opinion.features),
        "inception_style_score": distribution.inception_style_score(opinion.probabilities),
        "smallest_class_share": distribution.smallest_class_share(opinion.probabilities),
        **distribution.neighbourhoods(reference.features, opinion.features),
    }
    if sample.labels is not None:
        real_distance = distribution.intra_class_distance(reference.features, labels)
        found["label_accuracy"] = distribution.label_accuracy(opinion.probabilities, sample.labels)
        distance = distribution.intra_class_distance(opinion.features, sample.labels)
        found["intra_class_diversity"] = distance / real_distance
    return found


def _draw(model: Model, test: Dataset) -> Sample:
    """Images of a model; balanced by label where it takes one of the data's, and no two from the same noise."""
    generator, image = Generator(model), model.metadata.outputs[0].name
    label = model.metadata.label
    if label is None or set(label.classes) != set(test.classes):
        return Sample(generator.generate(IMAGES, seed=SEED).outputs[image], None)
    each = IMAGES // len(label.classes)
    wishes: list[dict[str, Any]] = [{label.name: name} for name in test.classes]
    rows = [
        generator.generate(each, seed=SEED, index=each * number, **wish).outputs[image]
        for number, wish in enumerate(wishes)
    ]
    return Sample(np.concatenate(rows), np.repeat(np.arange(len(label.classes)), each))


def _real(dataset: Dataset) -> Sample:
    images = to_signed(dataset.images[:IMAGES]).numpy()
    return Sample(images, dataset.labels[:IMAGES].numpy())


def _gan_train(sample: Sample, train: Dataset, test: Dataset) -> float:
    """Test accuracy of a classifier that has seen the sample alone."""
    assert sample.labels is not None
    pixels = torch.from_numpy(sample.images).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    learned = Dataset(
        train.name, pixels, torch.from_numpy(sample.labels), train.classes, train.license, train.attribution
    )
    return test_accuracy(train_classifier(learned, CLASSIFIER_EPOCHS, SEED), test)
