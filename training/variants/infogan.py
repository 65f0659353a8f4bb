"""InfoGAN."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from gan_serve.tensors import Label, Latent, Scalar
from training import layers
from training.gan import GAN, Batch, ImageSpec, Recipe, Servable, Terms


class InfoGAN(GAN):
    """InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets.

    Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016, https://arxiv.org/abs/1606.03657

    Differs: DCGAN-sized networks for 28x28 images.
    """

    paper = Paper(
        title="InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets",
        authors="Xi Chen, Yan Duan, Rein Houthooft, John Schulman, Ilya Sutskever, Pieter Abbeel",
        year=2016,
        url="https://arxiv.org/abs/1606.03657",
    )
    differences = "DCGAN-sized networks for 28x28 images; an exponential average of the weights."
    recipe = Recipe(dataset="mnist", steps=20_000, final_learning_rate=0.1)
    latent_size = 62
    categories = 10
    codes = ("first_code", "second_code")
    category_weight = 1.0  # lambda for the categorical code
    code_weight = 0.1  # and for the continuous ones

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = CodedGenerator(self.latent_size, self.categories, spec)
        self.discriminator = Recognising(spec, self.categories)

    def discriminator_loss(self, batch: Batch) -> Terms:
        category, code = self._codes(batch)
        real, _ = self.discriminator(batch["image"])
        fake, recognised = self.discriminator(self.generator(self.latent(batch), category, *code.unbind(1)))
        self.observe(real, fake)
        adversarial = self.adversarial.discriminator(real, fake)
        return {"adversarial": adversarial, **self._information_loss(recognised, category, code)}

    def generator_loss(self, batch: Batch) -> Terms:
        category, code = self._codes(batch)
        fake, recognised = self.discriminator(self.generator(self.latent(batch), category, *code.unbind(1)))
        adversarial = self.adversarial.generator(fake)
        return {"adversarial": adversarial, **self._information_loss(recognised, category, code)}

    def _codes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """c: categories (N,), and uniform numbers (N, 2) in [-1, 1]."""
        category = (self.uniform(batch) * self.categories).long()
        return category, self.uniform(batch, 2) * 2 - 1

    def _information_loss(self, recognised: "Recognised", category: Tensor, code: Tensor) -> Terms:
        """-L_I, the lower bound of the mutual information, without its constant entropy."""
        mean, log_deviation = recognised[1].float().chunk(2, dim=1)
        error = (code - mean) / log_deviation.exp()
        likelihood = -(error.square() / 2 + log_deviation + math.log(2 * math.pi) / 2).sum(dim=1)
        return {
            "category": self.category_weight * F.cross_entropy(recognised[0].float(), category),
            "code": -self.code_weight * likelihood.mean(),
        }

    def servables(self) -> dict[str, Servable]:
        codes = (Scalar(name=name, low=-2, high=2, default=0) for name in self.codes)
        category = Label(name="category", classes=tuple(map(str, range(self.categories))))
        return {
            "": Servable(
                self.generator,
                inputs=(Latent(name="latent", size=self.latent_size), category, *codes),
                outputs=(self.spec.image,),
                task="latent-code",
                description="Draws a digit by codes that nobody labelled: a category and two continuous codes.",
            )
        }


# Logits of the category (N, K), and the means and log deviations of the two codes (N, 4).
Recognised = tuple[Tensor, Tensor]


class CodedGenerator(nn.Module):
    """Latent (N, Z), category (N,) and two continuous codes (N,) -> images (N, C, H, W) in [-1, 1]."""

    def __init__(self, latent_size: int, categories: int, spec: ImageSpec) -> None:
        super().__init__()
        self.categories = categories
        self.body = layers.dcgan_generator(latent_size + categories + 2, spec.channels, spec.size)

    def forward(self, latent: Tensor, category: Tensor, first: Tensor, second: Tensor) -> Tensor:
        one_hot = layers.one_hot(category, self.categories)
        images: Tensor = self.body(torch.cat([latent, one_hot, first[:, None], second[:, None]], dim=1))
        return images


class Recognising(nn.Module):
    """Image (N, C, H, W) -> logits (N, 1), and what Q recognises in it; both share all but the last layers."""

    def __init__(self, spec: ImageSpec, categories: int) -> None:
        super().__init__()
        self.features = layers.dcgan_features(spec.channels, spec.size)
        self.source = layers.dcgan_head(spec.size)
        self.recognition = nn.Sequential(
            layers.dcgan_head(spec.size, outputs=128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2, inplace=True)
        )
        self.category = nn.Linear(128, categories)
        self.code = nn.Linear(128, 4)

    def forward(self, image: Tensor) -> tuple[Tensor, Recognised]:
        features = self.features(image)
        recognised = self.recognition(features)
        return self.source(features), (self.category(recognised), self.code(recognised))
