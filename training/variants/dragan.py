"""DRAGAN."""

from dataclasses import dataclass, replace
from typing import ClassVar

from gan_serve.metadata import Paper
from training import losses
from training.data.dataset import Batch, Terms
from training.families.convolutional import ConvolutionalGAN, PenalisedRecipe
from training.networks import layers


@dataclass(frozen=True)
class DraganRecipe(PenalisedRecipe):
    """Adds the penalty's slope, which depends on the image size: distances between images grow with their pixels."""

    slope: float = 1.0  # k: the gradient's norm near real images


class DRAGAN(ConvolutionalGAN):
    """On Convergence and Stability of GANs (Kodali, Abernethy, Hays and Kira 2017).

    https://arxiv.org/abs/1705.07215
    """

    paper = Paper(
        title="On Convergence and Stability of GANs",
        authors="Naveen Kodali, Jacob Abernethy, James Hays, Zsolt Kira",
        year=2017,
        url="https://arxiv.org/abs/1705.07215",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; instance normalisation in the discriminator; an exponential average of "
        "the weights; for characters a slope of 0.1, where the paper has 1."
    )
    recipe = DraganRecipe(dataset="fashion_mnist", steps=15_600, final_learning_rate=0.1)
    # DRAGAN became known for game characters. With a slope of 1, all latents soon gave the same character: over the
    # distances between such images, that slope saturates the discriminator, which then only chases the generator.
    presets: ClassVar = {
        "characters": replace(
            recipe,
            dataset="lpc",
            image_size=64,
            width=20,
            steps=12_000,
            learning_rate=5e-4,
            penalty_weight=100.0,
            slope=0.1,
        )
    }
    settings: DraganRecipe
    # The penalty treats samples one by one; batch normalisation would mix them.
    norm = layers.InstanceNorm

    def discriminator_loss(self, batch: Batch) -> Terms:
        images = batch["image"]
        real, fake = self.discriminator(images), self.discriminator(self.fake(batch))
        near = losses.dragan_points(images, self.uniform(batch, *images.shape[1:]))
        self.record_diagnostics(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            "gradient_penalty": self.settings.penalty_weight * self.gradient_penalty(near, self.settings.slope),
        }
