"""Games with DCGAN's networks."""

from dataclasses import dataclass

from torch import nn

from training.data.dataset import DataSpec
from training.gan import GAN, Recipe
from training.networks import layers


@dataclass(frozen=True)
class ConvolutionalRecipe(Recipe):
    """Adds the width of convolutional networks."""

    width: int = 32  # channels of the layers next to the image


@dataclass(frozen=True)
class PenalisedRecipe(ConvolutionalRecipe):
    """Adds the weight of a penalty on the discriminator's gradient."""

    penalty_weight: float = 10.0  # lambda


class ConvolutionalGAN(GAN):
    """A game with DCGAN's networks, shared by all variants that change only the loss."""

    settings: ConvolutionalRecipe
    norm: layers.Norm = nn.BatchNorm2d  # of the discriminator

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = layers.dcgan_generator(self.latent_size, spec.channels, spec.size, self.settings.width)
        self.discriminator = self.build_discriminator()

    def build_discriminator(self) -> nn.Module:
        """Return image (N, C, H, W) -> logits (N, 1); DCGAN's discriminator, unless a subclass overrides it."""
        return layers.dcgan_discriminator(self.spec.channels, self.spec.size, self.settings.width, self.norm)
