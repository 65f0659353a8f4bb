"""SAGAN."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training.data.dataset import DataSpec
from training.families.attention import AttentiveGAN
from training.families.convolutional import ConvolutionalRecipe
from training.networks import layers, residual


@dataclass(frozen=True)
class AttentiveRecipe(ConvolutionalRecipe):
    """Adds the choice of self-attention."""

    attention: bool = True  # False: the control, a pointwise layer with as many weights


class SAGAN(AttentiveGAN):
    """Self-Attention Generative Adversarial Networks (Zhang, Goodfellow, Metaxas and Odena 2019).

    https://arxiv.org/abs/1805.08318
    """

    paper = Paper(
        title="Self-Attention Generative Adversarial Networks",
        authors="Han Zhang, Ian Goodfellow, Dimitris Metaxas, Augustus Odena",
        year=2019,
        url="https://arxiv.org/abs/1805.08318",
    )
    differences = "Narrow residual networks for small images; an exponential average of the weights."
    recipe = AttentiveRecipe(
        dataset="cifar10", steps=8_000, batch_size=128, learning_rate=1e-4, discriminator_learning_rate=4e-4,
        betas=(0.0, 0.9), image_size=32, width=96,
    )  # fmt: skip
    latent_size = 128
    settings: AttentiveRecipe
    generator: "AttentiveGenerator"

    @property
    def mixing(self) -> residual.Mixing:
        """The class of the layer in the middle of both networks."""
        return residual.SelfAttention if self.settings.attention else residual.Pointwise

    def build_generator(self) -> nn.Module:
        return AttentiveGenerator(self.latent_size, self.spec, self.settings.width, self.mixing)

    def build_discriminator(self) -> nn.Module:
        embedding = nn.Embedding(len(self.spec.classes), self.settings.width)
        return residual.ProjectionDiscriminator(self.spec.channels, embedding, self.mixing)


class AttentiveGenerator(nn.Module):
    """Latent (N, Z) and label (N,) -> images (N, C, H, W) in [-1, 1]; the label conditions every normalisation."""

    def __init__(self, latent_size: int, spec: DataSpec, width: int, mixing: residual.Mixing) -> None:
        super().__init__()
        self.classes = len(spec.classes)
        base, doublings = layers.base_size(spec.size)
        self.project = nn.Sequential(
            residual.linear(latent_size, width * base * base), nn.Unflatten(1, (width, base, base))
        )
        widths = [width] * (doublings + 1)
        self.blocks = nn.ModuleList(residual.BlockUp(before, after, self.classes) for before, after in pairwise(widths))
        self.attention = mixing(width)
        self.norm = nn.BatchNorm2d(width)
        self.to_image = residual.convolution(width, spec.channels)

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        condition = layers.one_hot(label, self.classes)
        maps = self.project(latent)
        for block in self.blocks[:-1]:
            maps = block(maps, condition)
        maps = self.blocks[-1](self.attention(maps), condition)  # attention at half the image's size
        images: Tensor = self.to_image(F.relu(self.norm(maps))).tanh()
        return images
