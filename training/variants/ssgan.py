"""SSGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from gan_serve.metadata import Paper
from gan_serve.tensors import Probabilities, Score
from training import layers
from training.gan import GAN, Batch, ImageSpec, Recipe, Servable, Source, Terms

if TYPE_CHECKING:
    from training.dataset import Dataset


@dataclass(frozen=True)
class SemiSupervisedRecipe(Recipe):
    """Adds how many labels are known, and what the generator matches its features by."""

    labels: int = 100
    matching: Literal["squared", "huber"] = "squared"
    unsupervised_weight: float = 1.0  # 0: the control, a classifier that learns from the labels alone


class SSGAN(GAN):
    """Improved Techniques for Training GANs (Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen 2016).

    https://arxiv.org/abs/1606.03498

    The semi-supervised game: the discriminator sorts images into N classes or "generated". Differs: a convolutional
    discriminator on MNIST, where the paper has dense layers; DCGAN's generator.
    """

    paper = Paper(
        title="Improved Techniques for Training GANs",
        authors="Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen",
        year=2016,
        url="https://arxiv.org/abs/1606.03498",
    )
    differences = (
        "A convolutional discriminator where the paper has dense layers for MNIST; DCGAN's generator; an exponential "
        "average of the weights."
    )
    recipe = SemiSupervisedRecipe(dataset="mnist", steps=12_000, learning_rate=3e-4, final_learning_rate=0.1)

    width = 32  # channels of the generator's layer next to the image

    settings: SemiSupervisedRecipe
    discriminator: Classifier

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = layers.dcgan_generator(self.latent_size, spec.channels, spec.size, self.width)
        self.discriminator = Classifier(spec)

    def source(self, dataset: Dataset) -> Source:
        return dataset.partly_labelled(self.settings.labels)

    def discriminator_loss(self, batch: Batch) -> Terms:
        labelled, _ = self.discriminator(batch["labelled"])
        real, _ = self.discriminator(batch["image"])
        fake, _ = self.discriminator(self.fake(batch))
        real, fake = realness(real), realness(fake)
        self.observe(real, fake)
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
                Verdict(self.discriminator),
                inputs=(self.spec.image,),
                outputs=(
                    Probabilities(name="classes", classes=self.spec.classes, description="What the image shows."),
                    Score(
                        name="realness", low=0, high=1, description="How sure it is that the image is no generated one."
                    ),
                ),
                task="classification",
                description=f"Recognises images, having seen {self.settings.labels} labels.",
            )
        }


def realness(logits: Tensor) -> Tensor:
    """Class logits (N, K) -> logits (N,) of D(x) = Z / (Z + 1), Z the sum of their exponentials.

    The logit of class N + 1, "generated", is 0: one of N + 1 can be chosen freely.
    """
    return torch.logsumexp(logits.float(), dim=1)


class Classifier(nn.Module):
    """Image (N, C, H, W) -> class logits (N, K) and the features (N, 128) that the generator matches.

    Noise and dropout instead of batch normalisation, which the few labelled images would upset.
    """

    def __init__(self, spec: ImageSpec, width: int = 32) -> None:
        super().__init__()
        self.noise = Noise(0.3)
        self.features = nn.Sequential(
            *_layer(spec.channels, width), *_layer(width, width, stride=2), nn.Dropout2d(0.3),
            *_layer(width, 2 * width), *_layer(2 * width, 2 * width, stride=2), nn.Dropout2d(0.3),
            *_layer(2 * width, 4 * width), *_layer(4 * width, 4 * width, size=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = weight_norm(nn.Linear(4 * width, len(spec.classes)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(self.noise(image))
        return self.head(features), features


def _layer(before: int, after: int, size: int = 3, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, size, stride=stride, padding=size // 2)
    nn.init.kaiming_normal_(convolution.weight, a=0.2)
    return [weight_norm(convolution), nn.LeakyReLU(0.2, inplace=True)]


class Noise(nn.Module):
    """Adds normal noise in training."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, images: Tensor) -> Tensor:
        return images + self.deviation * torch.randn_like(images) if self.training else images


class Verdict(nn.Module):
    """Image (N, C, H, W) -> class probabilities (N, K) and realness (N,), as they are served."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits, _ = self.classifier(image)
        return logits.softmax(dim=1), realness(logits).sigmoid()
