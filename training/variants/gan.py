"""GAN."""

import math
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from gan_serve.metadata import Paper
from training import losses
from training.data.dataset import DataSpec
from training.gan import GAN, Recipe


@dataclass(frozen=True)
class VanillaRecipe(Recipe):
    """Adds the choice between the paper's two generator losses."""

    saturating: bool = False  # log(1 - D(G(z))) instead of -log D(G(z))


class VanillaGAN(GAN):
    """Generative Adversarial Networks (Goodfellow et al. 2014).

    https://arxiv.org/abs/1406.2661
    """

    paper = Paper(
        title="Generative Adversarial Networks",
        authors="Ian J. Goodfellow, Jean Pouget-Abadie, Mehdi Mirza, Bing Xu, David Warde-Farley, Sherjil Ozair, "
        "Aaron Courville, Yoshua Bengio",
        year=2014,
        url="https://arxiv.org/abs/1406.2661",
    )
    differences = (
        "Batch normalisation and leaky ReLU in the generator, leaky ReLU and dropout in the discriminator where the "
        "paper has maxout, Adam, an exponential average of the weights."
    )
    recipe = VanillaRecipe(dataset="mnist", steps=60_000, final_learning_rate=0.1)
    settings: VanillaRecipe
    latent_size = 100

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        if self.settings.saturating:
            self.adversarial = losses.minimax
        shape = spec.image.shape
        pixels = math.prod(shape)
        self.generator = _generator((self.latent_size, 256, 512), pixels).append(nn.Unflatten(1, shape))
        self.discriminator = nn.Sequential(nn.Flatten(), *_discriminator((pixels, 512, 256)))


def _generator(widths: tuple[int, ...], pixels: int) -> nn.Sequential:
    hidden: list[nn.Module] = []
    for before, after in pairwise(widths):
        hidden += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], pixels), nn.Tanh())


def _discriminator(widths: tuple[int, ...]) -> nn.Sequential:
    hidden: list[nn.Module] = []
    for before, after in pairwise(widths):
        hidden += [nn.Linear(before, after), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.3)]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], 1))
