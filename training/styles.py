"""StyleGAN's generator: a mapping from noise to styles, and a synthesis that each layer's style and noise steer."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training import growing, layers


def mix(style: Tensor, other: Tensor, crossover: Tensor, depth: int) -> Tensor:
    """Two styles (N, W) -> one for each layer (N, depth, W): the second from the layer `crossover` (N,) on."""
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
        self.mapping = nn.Sequential(growing.PixelNorm())
        for _ in range(4):
            self.mapping.extend([growing.linear(latent_size, latent_size, rate=mapping_rate), growing.leaky()])
        # Not the paper's ones: an even map is nothing but rounding errors once each map is normalised by itself.
        self.constant = nn.Parameter(torch.randn(1, widths[0], base, base))
        sizes = [base * 2**level for level in range(len(widths))]
        self.noise_sizes = [size * size for size in sizes for _ in range(2)]
        self.depth, self.noise_size = len(self.noise_sizes), sum(self.noise_sizes)
        steps = [(widths[0], widths[0])] + [
            pair for coarse, fine in pairwise(widths) for pair in ((coarse, fine), (fine, fine))
        ]
        self.convolutions = nn.ModuleList(growing.convolution(before, after) for before, after in steps)
        outputs = [widths[0], *(after for _, after in steps)]
        self.styles = nn.ModuleList(AdaIN(latent_size, width) for width in outputs)
        self.noise_gains = nn.ParameterList(torch.zeros(1, width, 1, 1) for width in outputs)
        self.to_image = growing.convolution(widths[-1], channels, 1, gain=1)
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
        """Styles (N, depth, W) and noise (N, noise_size) -> images (N, C, H, W), not clamped."""
        planes = torch.split(noise, self.noise_sizes, dim=1)
        maps = self.constant.expand(len(styles), -1, -1, -1)
        for layer, (adain, gain, plane) in enumerate(zip(self.styles, self.noise_gains, planes, strict=True)):
            if layer > 0:
                if layer % 2 == 0:
                    maps = layers.doubled(maps)
                maps = self.convolutions[layer - 1](maps)
            maps = F.leaky_relu(maps + gain * plane.view(-1, 1, *maps.shape[2:]), 0.2)
            maps = adain(maps, styles[:, layer])
        images: Tensor = self.to_image(maps)
        return images


class AdaIN(nn.Module):
    """Each map normalised by itself, then given a gain and a bias by the style (N, W)."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.affine = growing.linear(style, 2 * channels, gain=1)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        gain, bias = self.affine(style)[:, :, None, None].chunk(2, dim=1)
        styled: Tensor = (1 + gain) * self.norm(maps) + bias
        return styled
