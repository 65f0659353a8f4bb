"""How well an anomaly score separates the data from noise and from other data."""

import dataclasses
from pathlib import Path

import pytest
import torch

from gan_serve.metadata import Data, Score, Training
from gan_serve.repository import Model
from training import export, variants
from training.data.dataset import Dataset
from training.evaluation import anomaly_detection
from training.evaluation.context import Evaluation
from training.loop.runs import Trained

FACTS = Training(
    steps=1, batch_size=1, seed=0, precision="fp32", hardware="CPU", duration_seconds=1.0, commit="", recipe={}
)


class Darkness(torch.nn.Module):
    """Energy (N,) of an image, the lower the darker it is; or the other way round."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = torch.nn.Parameter(torch.tensor(sign))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return 1 + self.sign * image.mean(dim=(1, 2, 3)), image


def detector(digits: Dataset, sign: float) -> Model:
    gan = variants.find("ebgan")(digits.spec)
    gan.discriminator = Darkness(sign)
    servable = gan.eval().servables()["energy"]
    trained = Trained("ebgan", gan, "digits", Data(name="digits", images=1, license="", attribution=""), FACTS)
    metadata = export.describe(trained, "energy", servable)
    return Model(metadata, "", Path("model.onnx"), export.export(servable, metadata))


def scores(digits: Dataset) -> list[Score]:
    gan = variants.find("ebgan")(digits.spec)
    models = detector(digits, 1.0), detector(digits, -1.0)
    return anomaly_detection.scores(Evaluation(*models, gan, "energy", digits, digits, count=0))


def test_dark_images_are_separated_from_their_negatives_and_from_noise(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    negatives = dataclasses.replace(digits, name="negatives", images=255 - digits.images)
    monkeypatch.setattr(anomaly_detection, "out_of_distribution", lambda data: negatives)
    found = {score.name: score for score in scores(digits)}
    assert set(found) == {"auroc_uniform_noise", "auroc_negatives_images"}
    assert [score.value for score in found.values()] == [1.0, 1.0]
    assert [score.control for score in found.values()] == [0.0, 0.0]


def test_without_other_data_only_noise_is_compared(digits: Dataset) -> None:
    (score,) = scores(digits)
    assert score.name == "auroc_uniform_noise"


def test_a_model_of_one_class_is_compared_with_the_other_classes_and_with_baselines(digits: Dataset) -> None:
    """All images of the normal class are black with a light row, wherever it is; the others are light all over."""
    images = torch.zeros_like(digits.images)
    images[torch.arange(len(images)), :, torch.arange(len(images)) % 8] = 200
    images[digits.labels != 8] = 255 - images[digits.labels != 8]
    both = dataclasses.replace(digits, images=images)
    gan = variants.find("anogan")(digits.spec)
    models = detector(digits, 1.0), detector(digits, -1.0)
    found = {each.name: each for each in anomaly_detection.scores(Evaluation(*models, gan, "", both, both, count=0))}
    assert found["auroc_other_classes"].value == 1
    assert found["auroc_other_classes"].control == 0
    gains = [found[f"auroc_gain_over_{name}"] for name in ("16_principal_components", "mean_image")]
    assert [gain.value for gain in gains] == [0, 0]  # each of them separates these, too
    assert all("which is 1.000" in gain.description for gain in gains)


def test_the_baselines_see_the_contrast_that_the_networks_see(digits: Dataset) -> None:
    variant = variants.find("anogan")
    recipe = dataclasses.replace(variant.recipe, deviations=2.5)
    darker = dataclasses.replace(digits, images=digits.images // 4 * 2)
    aurocs = []
    for test in (digits, darker):
        models = detector(digits, 1.0), detector(digits, -1.0)
        context = Evaluation(*models, variant(digits.spec, recipe), "", digits, test, count=0)
        scores = {each.name: each for each in anomaly_detection.scores(context)}
        aurocs.append(scores["auroc_other_classes"].value - scores["auroc_gain_over_mean_image"].value)
    assert aurocs[0] == pytest.approx(aurocs[1], abs=0.01)
