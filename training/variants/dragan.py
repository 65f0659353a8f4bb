"""DRAGAN."""

from dataclasses import replace
from typing import ClassVar

from gan_serve.metadata import Paper
from training import layers, losses
from training.convolutional import ConvolutionalGAN, ConvolutionalRecipe
from training.gan import Batch, Terms


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
        "the weights."
    )
    recipe = ConvolutionalRecipe(dataset="fashion_mnist", steps=15_600, final_learning_rate=0.1)
    # Characters of games are what it became known for.
    further: ClassVar = {"characters": replace(recipe, dataset="lpc", image_size=64, width=20)}
    penalty_weight = 10.0  # lambda
    # Batch normalisation would tie together the samples that the penalty treats one by one.
    norm = layers.InstanceNorm

    def discriminator_loss(self, batch: Batch) -> Terms:
        images = batch["image"]
        real, fake = self.discriminator(images), self.discriminator(self.fake(batch))
        near = losses.around(images, self.uniform(batch, *images.shape[1:]))
        self.observe(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            "gradient_penalty": self.penalty_weight * self.gradient_penalty(near),
        }
