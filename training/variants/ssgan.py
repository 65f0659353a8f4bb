"""SSGAN."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from gan_serve.metadata import Paper
from gan_serve.tensors import Probabilities, ScoreOutput
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms
from training.gan import GAN, Recipe, Servable, Stage


@dataclass(frozen=True)
class SemiSupervisedRecipe(Recipe):
    """Adds the number of known labels, and the generator's distance between features."""

    labels: int = 100
    matching: Literal["squared", "huber"] = "squared"
    unsupervised_weight: float = 0.5  # 0: the control, a classifier that learns from the labels alone


class SSGAN(GAN):
    """Improved Techniques for Training GANs (Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen 2016).

    https://arxiv.org/abs/1606.03498

    The semi-supervised game: the discriminator assigns images to one of N classes or to the class "generated".
    """

    paper = Paper(
        title="Improved Techniques for Training GANs",
        authors="Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen",
        year=2016,
        url="https://arxiv.org/abs/1606.03498",
    )
    differences = (
        "500 units in the first layer where the paper has 1,000; normal noise where it has uniform; 100 epochs where "
        "it has 300; an exponential average of the weights."
    )
    recipe = SemiSupervisedRecipe(
        dataset="mnist", steps=60_000, batch_size=100, learning_rate=3e-3, final_learning_rate=0.05
    )

    latent_size = 100

    settings: SemiSupervisedRecipe
    discriminator: Classifier

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_classes()
        self.generator = _generator(self.latent_size, spec.image.shape)
        self.discriminator = Classifier(spec)

    def source(self, dataset: Dataset) -> BatchSource:
        return dataset.partly_labelled(self.settings.labels)

    def stages(self) -> list[Stage]:
        (stage,) = super().stages()
        if self.settings.unsupervised_weight:
            return [stage]
        classifier = replace(stage.players["discriminator"], loss=self.supervised_loss)
        return [Stage({"discriminator": classifier})]

    def supervised_loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of the known labels, which the control minimises alone."""
        labelled, _ = self.discriminator(batch["labelled"])
        return {"supervised": F.cross_entropy(labelled.float(), batch["label"])}

    def discriminator_loss(self, batch: Batch) -> Terms:
        # No layer mixes samples, so one pass can process all three sets.
        images = torch.cat([batch["labelled"], batch["image"], self.fake(batch)])
        labelled, real, fake = self.discriminator(images)[0].chunk(3)
        real, fake = realness(real), realness(fake)
        self.record_diagnostics(real, fake)
        return {
            "supervised": F.cross_entropy(labelled.float(), batch["label"]),
            "unsupervised": self.settings.unsupervised_weight * self.adversarial.discriminator(real, fake),
        }

    def generator_loss(self, batch: Batch) -> Terms:
        _, real = self.discriminator(batch["image"])
        _, fake = self.discriminator(self.fake(batch))
        distance = F.mse_loss if self.settings.matching == "squared" else F.smooth_l1_loss
        return {"feature_matching": distance(fake.float().mean(dim=0), real.float().mean(dim=0), reduction="sum")}

    def servables(self) -> dict[str, Servable]:
        return super().servables() | {
            "classifier": Servable(
                ServedClassifier(self.discriminator),
                inputs=(self.spec.image,),
                outputs=(
                    Probabilities(name="classes", classes=self.spec.classes, description="What the image shows."),
                    ScoreOutput(
                        name="realness", low=0, high=1, description="How sure it is that the image is no generated one."
                    ),
                ),
                task="classification",
                description=f"Recognises images, having seen {self.settings.labels} labels.",
            )
        }


def realness(logits: Tensor) -> Tensor:
    """Class logits (N, K) -> logits (N,) of D(x) = Z(x) / (Z(x) + 1), with Z(x) the sum of their exponentials.

    The logit of class K + 1, "generated", is 0: one of the K + 1 logits can be chosen freely.
    """
    return torch.logsumexp(logits.float(), dim=1)


class Classifier(nn.Module):
    """Image (N, C, H, W) in [-1, 1] -> class logits (N, K) and the features (N, 250) that the generator matches.

    The paper's network for MNIST: dense layers with weight normalisation, and noise before each.
    """

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()
        widths = (math.prod(spec.image.shape), 500, 500, 250, 250, 250)
        hidden: list[nn.Module] = [nn.Flatten(), Noise(0.3)]
        for before, after in pairwise(widths):
            hidden += [weight_norm(_initialised(nn.Linear(before, after))), nn.ReLU(inplace=True), Noise(0.5)]
        *features, noise = hidden
        self.features = nn.Sequential(*features)
        self.head = nn.Sequential(noise, weight_norm(nn.Linear(widths[-1], len(spec.classes))))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features((image + 1) / 2)
        return self.head(features), features


def _initialised(layer: nn.Linear) -> nn.Linear:
    nn.init.kaiming_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _generator(latent_size: int, shape: tuple[int, ...]) -> nn.Sequential:
    """Latent (N, Z) -> images (N, *shape) in [-1, 1]."""
    hidden: list[nn.Module] = []
    for before, after in pairwise((latent_size, 500, 500)):
        hidden += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.Softplus()]
    return nn.Sequential(*hidden, nn.Linear(500, math.prod(shape)), nn.Tanh(), nn.Unflatten(1, shape))


class Noise(nn.Module):
    """Add normal noise in training."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, images: Tensor) -> Tensor:
        return images + self.deviation * torch.randn_like(images) if self.training else images


class ServedClassifier(nn.Module):
    """Image (N, C, H, W) -> class probabilities (N, K) and realness (N,) in [0, 1]."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits, _ = self.classifier(image)
        return logits.softmax(dim=1), realness(logits).sigmoid()
