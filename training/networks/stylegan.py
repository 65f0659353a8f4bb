"""StyleGAN's generator: a mapping from latents to styles, and a synthesis controlled by a style and noise per layer."""

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.networks import layers, progressive

PER_SIZE = 2  # layers at each resolution


def mix(style: Tensor, other: Tensor, crossover: Tensor, depth: int) -> Tensor:
    """Two styles (N, W) -> one style per layer (N, depth, W): the second one from the layer `crossover` (N,) on."""
    layer = torch.arange(depth, device=style.device)
    return torch.where((layer < crossover[:, None])[:, :, None], style[:, None], other[:, None])


class StyleGenerator(nn.Module):
    """Two latents (N, Z), crossover (N,), truncation (N,), noise (N, noise_size) and its strength (N,) -> images.

    Images are (N, C, H, W) in [-1, 1].
    """

    average_style: Tensor
    still_noise: Tensor

    def __init__(self, latent_size: int, channels: int, base: int, widths: Sequence[int], mapping_rate: float) -> None:
        super().__init__()
        self.mapping = nn.Sequential(progressive.PixelNorm())
        for _ in range(4):
            self.mapping.extend([progressive.linear(latent_size, latent_size, rate=mapping_rate), progressive.leaky()])
        self.constant = nn.Parameter(torch.randn(1, widths[0], base, base))
        self.noise_sizes = [(base << level) ** 2 for level in range(len(widths)) for _ in range(PER_SIZE)]
        self.depth, self.noise_size = len(self.noise_sizes), sum(self.noise_sizes)
        self.layers = nn.ModuleList(
            StyledLayer(latent_size, *step)
            for before, after in pairwise([widths[0], *widths])
            for step in ((before, after), (after, after))
        )
        self.to_image = nn.ModuleList(ToImage(latent_size, width, channels) for width in widths)
        self.register_buffer("average_style", torch.zeros(latent_size))
        self.register_buffer("still_noise", torch.randn(1, self.noise_size))

    def forward(
        self,
        latent: Tensor,
        second_latent: Tensor,
        crossover: Tensor,
        truncation: Tensor,
        noise: Tensor,
        strength: Tensor,
    ) -> Tensor:
        styles = mix(self.mapping(latent), self.mapping(second_latent), crossover, self.depth)
        styles = self.average_style + truncation[:, None, None] * (styles - self.average_style)
        share = strength[:, None]  # the sum's variance is 1 at every share
        noise = share.sqrt() * noise + (1 - share).sqrt() * self.still_noise
        return self.synthesis(styles, noise).clamp(-1, 1)

    def synthesis(self, styles: Tensor, noise: Tensor) -> Tensor:
        """Styles (N, depth, W) and noise (N, noise_size) -> images (N, C, H, W), not clamped.

        The image is the sum of one image per resolution, each enlarged to full size.
        """
        planes = torch.split(noise, self.noise_sizes, dim=1)
        maps = self.constant.expand(styles.shape[0], -1, -1, -1)
        drawings: list[Tensor] = []
        for level, draw in enumerate(self.to_image):
            if level > 0:
                maps = layers.doubled(maps)
            for number in range(level * PER_SIZE, (level + 1) * PER_SIZE):
                maps = self.layers[number](maps, styles[:, number], planes[number])
            drawings.append(draw(maps, styles[:, number]))
        return reduce(lambda image, drawn: layers.doubled(image) + drawn, drawings)


class StyledLayer(nn.Module):
    """Maps (N, before, H, W), style (N, W), noise (N, H * W) -> maps (N, after, H, W).

    The style's gains scale the input; the output is divided by the standard deviation it would have if all inputs were
    independent and of variance 1 (demodulation, Karras et al. 2020).
    """

    def __init__(self, style: int, before: int, after: int) -> None:
        super().__init__()
        self.gains = progressive.linear(style, before, gain=1)
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.bias = nn.Parameter(torch.zeros(after, 1, 1))
        self.noise_gain = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        gains = 1 + self.gains(style)
        convolved = F.conv2d(maps * gains[:, :, None, None], self.weight, padding=1)
        variance = F.linear(gains.square(), self.weight.square().sum(dim=(2, 3)))
        maps = convolved * progressive.inverse_root(variance)[:, :, None, None] + self.bias
        return math.sqrt(2) * F.leaky_relu(maps + self.noise_gain * noise.view(-1, 1, *maps.shape[2:]), 0.2)


class ToImage(nn.Module):
    """Maps (N, before, H, W) and style (N, W) -> image (N, channels, H, W); the style scales the maps."""

    def __init__(self, style: int, before: int, channels: int) -> None:
        super().__init__()
        self.gains = progressive.linear(style, before, gain=1)
        self.convolution = progressive.convolution(before, channels, 1, gain=1)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        image: Tensor = self.convolution(maps * (1 + self.gains(style))[:, :, None, None])
        return image
