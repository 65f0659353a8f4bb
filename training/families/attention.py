"""The game of SAGAN and BigGAN: class-conditional residual networks with self-attention."""

from __future__ import annotations

import torch
from torch import Tensor

from training import losses
from training.data.dataset import Batch, BatchSource, Dataset, Terms
from training.data.transforms import mirrored
from training.families.conditional import ConditionalGAN
from training.families.convolutional import ConvolutionalRecipe
from training.networks import residual


class AttentiveGAN(ConditionalGAN):
    """A game with the hinge loss and a projection discriminator; a subclass builds both networks.

    No layer of the discriminator mixes samples, so it processes real and generated images in one pass.
    """

    adversarial = losses.hinge
    settings: ConvolutionalRecipe
    discriminator: residual.ProjectionDiscriminator

    def source(self, dataset: Dataset) -> BatchSource:
        return mirrored(dataset)

    def discriminator_loss(self, batch: Batch) -> Terms:
        images, label = torch.cat([batch["image"], self.fake(batch)]), batch["label"]
        real, fake = self.discriminator(images, label.repeat(2)).chunk(2)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def record_diagnostics(self, real: Tensor, fake: Tensor) -> None:
        super().record_diagnostics(real, fake)
        attention: Tensor = self.generator.attention.gamma  # type: ignore[union-attr, assignment]
        self.diagnostics["attention"] = attention.detach().abs()
