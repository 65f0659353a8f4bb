"""Games of DCGAN's networks."""

from dataclasses import dataclass

from torch import nn

from training.data.dataset import ImageSpec
from training.gan import GAN, Recipe
from training.networks import layers


@dataclass(frozen=True)
class ConvolutionalRecipe(Recipe):
    """Adds how wide convolutional networks are."""

    width: int = 32  # channels of the layers next to the image


@dataclass(frozen=True)
class PenalisedRecipe(ConvolutionalRecipe):
    """Adds how much a penalty on the discriminator's gradient counts."""

    penalty_weight: float = 10.0  # lambda


class ConvolutionalGAN(GAN):
    """A game of DCGAN's networks, the same for all variants that change nothing but the loss."""

    settings: ConvolutionalRecipe
    norm: layers.Norm = nn.BatchNorm2d  # of the discriminator

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = layers.dcgan_generator(self.latent_size, spec.channels, spec.size, self.settings.width)
        self.discriminator = self.build_discriminator()

    def build_discriminator(self) -> nn.Module:
        """Image (N, C, H, W) -> logits (N, 1); a subclass may have another."""
        return layers.dcgan_discriminator(self.spec.channels, self.spec.size, self.settings.width, self.norm)
