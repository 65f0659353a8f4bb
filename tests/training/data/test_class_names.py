"""The classes of a model and of its data are matched by name, regardless of their order."""

from pathlib import Path

import numpy as np
import torch
from small_models import CLASSIFIER, DIGIT, DIGITS

from gan_serve.generator import Generator
from gan_serve.repository import Model, Repository
from training import variants
from training.data.dataset import Dataset, to_signed
from training.evaluation import classification, generation
from training.evaluation.context import Evaluation
from training.inference import run_model

BACKWARDS = DIGITS[::-1]


def found(models: Path, name: str) -> Model:
    return Repository(models).find(name)


def dataset(labels: torch.Tensor, classes: tuple[str, ...]) -> Dataset:
    _, height, width = CLASSIFIER.image_inputs[0].shape
    images = torch.randint(256, (len(labels), 1, height, width), generator=torch.Generator().manual_seed(0))
    return Dataset("noise", images.to(torch.uint8), labels, classes, "", "")


def context(model: Model, test: Dataset) -> Evaluation:
    return Evaluation(model, model, variants.find("ssgan")(test.spec), "classifier", test, test, count=0)


def test_images_are_drawn_in_the_order_of_the_data_s_classes(models: Path) -> None:
    model = found(models, DIGIT.name)
    sample = generation._generate(model, dataset(torch.arange(10), BACKWARDS), 20)
    assert sample.labels is not None
    for number, name in enumerate(BACKWARDS):
        expected = Generator(model).generate(2, seed=generation.SEED, index=2 * number, label=name).outputs["image"]
        assert np.array_equal(sample.images[sample.labels == number], expected)


def test_a_classifier_is_scored_regardless_of_the_order_of_the_data_s_classes(models: Path) -> None:
    model = found(models, CLASSIFIER.name)
    some = dataset(torch.arange(50) % 10, DIGITS)
    predicted = run_model(model, "classes", {"image": to_signed(some.images)}).argmax(axis=1)
    for classes, labels in ((DIGITS, predicted), (BACKWARDS, 9 - predicted)):
        (score,) = classification.scores(context(model, dataset(torch.from_numpy(labels), classes)))
        assert (score.name, score.value) == ("test_error", 0)
