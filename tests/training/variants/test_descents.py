"""Age-cGAN and AnoGAN, whose graphs search for the latent of an image."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from gan_serve.errors import UsageError
from training import variants
from training.data.dataset import Dataset, DataSpec, Tensors, to_signed
from training.loop.trainer import Trainer
from training.metrics.prediction import Prediction
from training.scoring import EvaluationCase
from training.variants.agecgan import AGES, age, age_edges
from training.variants.anogan import contrast

SPEC = DataSpec.of_images(1, 28, tuple("0123456789"))


def of(name: str, **settings: object) -> Any:
    variant = variants.find(name)
    torch.manual_seed(0)
    return variant(SPEC, dataclasses.replace(variant.recipe, **settings)).eval()  # type: ignore[arg-type]


def bars(count: int) -> torch.Tensor:
    """Images (N, 1, 28, 28) of one bar each, wider from image to image."""
    images = torch.full((count, 1, 28, 28), -1.0)
    for number, image in enumerate(images):
        image[0, 4:24, 2 : 4 + number % 22] = 1
    return images


def test_ages_are_bins_of_thickness_with_equally_many_images() -> None:
    images = bars(22)[:18]
    ages = age(images, age_edges(images))
    assert ages.tolist() == sorted(ages.tolist())
    assert ages.bincount(minlength=len(AGES)).tolist() == [3] * len(AGES)


def test_the_ages_of_a_training_are_those_of_its_data(digits: Dataset) -> None:
    gan = variants.find("agecgan")(digits.spec)
    gan.source(digits)
    counts = gan.age(to_signed(digits.images)).bincount(minlength=len(AGES))
    assert counts.min() > 0.9 * counts.max()


def test_without_a_descent_the_encoders_latent_is_drawn_at_the_age_asked_for() -> None:
    gan = of("agecgan")
    network, images = gan.servables()[""].network, bars(6)
    ages = torch.arange(6)
    with torch.no_grad():
        made = network(images, ages, torch.zeros(6))
        one_hot = torch.nn.functional.one_hot(ages, 6).float()
        expected = gan.generator(torch.cat([gan.encoder(images), one_hot], dim=1))
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("part", ["", "pixelwise"])
def test_a_descent_brings_what_it_compares_nearer(part: str) -> None:
    gan = of("agecgan")
    for weight in gan.generator.parameters():
        weight.data *= 3  # so that images depend on the latent before a training
    network, images = gan.servables()[part].network, bars(4)
    compared = gan.identity if part == "" else torch.nn.Identity()
    own = gan.age(images)
    with torch.no_grad():
        start, found = (
            (compared(network(images, own, torch.full((4,), steps))) - compared(images)).square().sum()
            for steps in (0.0, 60.0)
        )
    assert found < start


def bars_as_data() -> Dataset:
    images = bars(22)
    labels = (images.mean(dim=(1, 2, 3)) >= 0).long()
    return Dataset("bars", ((images + 1) * 127.5).to(torch.uint8), labels, ("dark", "light"), "", "")


@dataclass
class Ages:
    """An evaluation context of a model that draws the bar of the age, and keeps the brightness after a descent only."""

    part: str = ""
    dataset: Dataset = field(default_factory=bars_as_data)

    @property
    def train(self) -> Dataset:
        return self.dataset

    test = train

    @property
    def case(self) -> EvaluationCase:
        return of("agecgan").evaluation_case("", self.dataset)  # type: ignore[no-any-return]

    def predict(self, images: torch.Tensor) -> Prediction:
        light = (images.mean(dim=(1, 2, 3)) >= 0).numpy()
        return Prediction(np.stack([~light, light], axis=1).astype(np.float32), np.empty((0, 1)))

    def run(self, inputs: Tensors) -> Tensors:
        kept = inputs["image"] if inputs["descent"].min() > 0 else -inputs["image"]
        return {"aged": kept}


def test_age_cgan_is_scored_by_what_it_keeps_and_by_the_age() -> None:
    found = {score.name: score.value for score in variants.find("agecgan").own_scores(Ages())}
    assert found["label_accuracy_of_the_start"] == 0
    assert 0 < found["label_accuracy_of_another"] < 1
    assert found["age_within_one"] == pytest.approx(0.5, abs=0.2)  # images whose age stays as it is


def test_anogan_learns_from_its_normal_class_alone(digits: Dataset) -> None:
    gan = variants.find("anogan")(digits.spec, dataclasses.replace(variants.find("anogan").recipe, normal="3"))
    batch = next(gan.source(digits).batches(50, 0, torch.device("cpu")))
    assert set(batch["label"].tolist()) == {3}


def test_a_class_that_the_data_lacks_is_refused(digits: Dataset) -> None:
    with pytest.raises(UsageError, match=r"no class 'x' to learn from; use --set normal=CLASS with one of 0, 1, 2"):
        of("anogan", normal="x").source(digits)


def test_the_score_weighs_pixels_and_features_and_a_descent_lowers_it() -> None:
    gan = of("anogan")
    network, images = gan.servables()[""].network, bars(3)
    with torch.no_grad():
        drawn, heat, start = network(images, torch.zeros(3))
        features = (gan.features(images) - gan.features(drawn)).abs().mean(dim=(1, 2, 3))
        torch.testing.assert_close(drawn, gan.generator(gan.encoder(images)))
        torch.testing.assert_close(heat, (images - drawn).abs())
        torch.testing.assert_close(start, 0.9 * heat.mean(dim=(1, 2, 3)) + 0.1 * features)
        _, _, found = network(images, torch.full((3,), 60.0))
    assert (found < start).all()


def test_contrast_and_brightness_do_not_change_an_xrays_score() -> None:
    gan = of("anogan", deviations=2.5)
    network, images = gan.servables()[""].network, torch.rand(3, 1, 28, 28) - 0.5
    with torch.no_grad():
        drawn, _, scores = network(images, torch.zeros(3))
        darker, _, others = network(images / 2 - 0.25, torch.zeros(3))
    torch.testing.assert_close(scores, others)
    torch.testing.assert_close(darker, drawn / 2 - 0.25)  # the reconstruction has the contrast of the image
    mean, scale = contrast(torch.ones(1, 1, 4, 4), 2.5)
    assert torch.isfinite((torch.ones(1, 1, 4, 4) - mean) / scale).all()


def test_the_encoder_learns_from_networks_as_they_are_served(digits: Dataset) -> None:
    variant = variants.find("anogan")
    gan = variant(digits.spec, dataclasses.replace(variant.recipe, steps=4, batch_size=8))
    trainer = Trainer(gan, gan.source(digits), seed=0, precision="fp32", device="cpu")
    modes = [(gan.generator.training, gan.discriminator.training) for _ in trainer.train()]
    assert modes[0] == (True, True)
    assert modes[-1] == (False, False)


def test_the_average_of_a_network_that_waited_forgets_its_random_start(digits: Dataset) -> None:
    variant = variants.find("anogan")
    gan = variant(digits.spec, dataclasses.replace(variant.recipe, steps=60, batch_size=8, ema=0.999))
    trainer = Trainer(gan, gan.source(digits), seed=0, precision="fp32", device="cpu")
    for _ in trainer.train():
        pass
    norm, average = (next(each for each in encoder.modules() if isinstance(each, torch.nn.BatchNorm2d)) for encoder in
                     (gan.encoder, trainer.average.module.encoder))  # fmt: skip
    assert norm.running_var.max() < 0.5  # at first 1
    torch.testing.assert_close(average.running_var, norm.running_var, rtol=0.5, atol=0)
