"""The classes of a model and of its data are matched by name, regardless of their order."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import CLASSIFIER, DIGIT, DIGITS

from gan_serve.generator import Generator
from gan_serve.repository import Model, Repository
from training.data.dataset import Dataset, to_signed
from training.evaluation import classification, generation

BACKWARDS = DIGITS[::-1]


def found(models: Path, name: str) -> Model:
    return Repository(models).find(name)


def dataset(labels: torch.Tensor, classes: tuple[str, ...]) -> Dataset:
    _, height, width = CLASSIFIER.image_inputs[0].shape
    images = torch.randint(256, (len(labels), 1, height, width), generator=torch.Generator().manual_seed(0))
    return Dataset("noise", images.to(torch.uint8), labels, classes, "", "")


def test_images_are_drawn_in_the_order_of_the_data_s_classes(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "IMAGES", 20)
    model = found(models, DIGIT.name)
    sample = generation._draw(model, dataset(torch.arange(10), BACKWARDS))
    assert sample.labels is not None
    for number, name in enumerate(BACKWARDS):
        expected = Generator(model).generate(2, seed=generation.SEED, index=2 * number, label=name).outputs["image"]
        assert np.array_equal(sample.images[sample.labels == number], expected)


def test_a_classifier_is_scored_regardless_of_the_order_of_the_data_s_classes(models: Path) -> None:
    model = found(models, CLASSIFIER.name)
    some = dataset(torch.arange(50) % 10, DIGITS)
    predicted = classification.answers(model, "classes", {"image": to_signed(some.images)}).argmax(axis=1)
    for classes, labels in ((DIGITS, predicted), (BACKWARDS, 9 - predicted)):
        (score,) = classification.scores(model, model, dataset(torch.from_numpy(labels), classes))
        assert (score.name, score.value) == ("test_error", 0)
