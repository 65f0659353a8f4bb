"""EBGAN."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from gan_serve.tensors import ScoreOutput
from training import losses
from training.data.dataset import Batch, Terms
from training.families.convolutional import ConvolutionalGAN, ConvolutionalRecipe
from training.gan import Servable
from training.networks import layers
from training.networks.autoencoder import Autoencoder


@dataclass(frozen=True)
class EbganRecipe(ConvolutionalRecipe):
    """Adds the weight of the pulling-away term, which keeps the images of a batch different."""

    pulling_away_weight: float = 0.1  # lambda_PT


class EBGAN(ConvolutionalGAN):
    """Energy-based Generative Adversarial Network (Zhao, Mathieu and LeCun 2017).

    https://arxiv.org/abs/1609.03126
    """

    paper = Paper(
        title="Energy-based Generative Adversarial Network",
        authors="Junbo Zhao, Michael Mathieu, Yann LeCun",
        year=2017,
        url="https://arxiv.org/abs/1609.03126",
    )
    differences = "DCGAN-sized networks for 28x28 images; an exponential average of the weights."
    recipe = EbganRecipe(dataset="mnist", steps=15_600, final_learning_rate=0.1)
    margin = 10.0  # m
    settings: EbganRecipe

    def build_discriminator(self) -> nn.Module:
        return EnergyAutoencoder(self.spec.channels, self.spec.size, self.settings.width)

    def discriminator_loss(self, batch: Batch) -> Terms:
        real, _ = self.discriminator(batch["image"])
        fake, _ = self._score_generated(batch)
        self.diagnostics = {"score(real)": -real.detach().mean(), "score(fake)": -fake.detach().mean()}
        return {"energy_real": real.mean(), "energy_fake": F.relu(self.margin - fake).mean()}

    def generator_loss(self, batch: Batch) -> Terms:
        energy, code = self._score_generated(batch)
        likeness = losses.pulling_away(code)
        self.diagnostics["likeness"] = likeness.detach()
        return {"energy": energy.mean(), "pulling_away": self.settings.pulling_away_weight * likeness}

    def _score_generated(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return energies (N,) and codes (N, D) of generated images.

        They do not update the running statistics: normalised by statistics of both kinds, real images would have three
        times as much energy at inference as in training.
        """
        with layers.frozen_batchnorm_stats(self.discriminator):
            energy, code = self.discriminator(self.fake(batch))
        return energy, code

    def servables(self) -> dict[str, Servable]:
        pixels = self.spec.channels * self.spec.size**2
        energy = ScoreOutput(
            name="energy", low=0, high=2 * math.sqrt(pixels), description="Low for what it has learned."
        )
        return super().servables() | {
            "energy": Servable(
                Energy(self.discriminator),
                inputs=(self.spec.image,),
                outputs=(energy,),
                task="anomaly-detection",
                description="Tells how far an image is from what an autoencoder makes of it, which generated images "
                "taught to fail on all but the data.",
            )
        }


class Energy(nn.Module):
    """Image (N, C, H, W) -> energy (N,): the served network."""

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, image: Tensor) -> Tensor:
        energy: Tensor = self.discriminator(image)[0]
        return energy


class EnergyAutoencoder(Autoencoder):
    """Image (N, C, H, W) -> energy (N,), the Euclidean distance to its reconstruction, and its code (N, 64)."""

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        reconstruction, code = super().forward(image)
        return torch.linalg.vector_norm(reconstruction.float() - image.float(), dim=(1, 2, 3)), code
