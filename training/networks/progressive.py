"""What ProGAN and StyleGAN have in common: equalised layers, and networks that grow with the resolution."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WHOLE = 2**16  # parts of a fade


def widths(width: int, doublings: int, most: int = 8) -> tuple[int, ...]:
    """Channels at each resolution, from the base's to the image's: doubled by each halving, up to `most` times."""
    return tuple(width * min(2**level, most) for level in reversed(range(doublings + 1)))


class Equalised(nn.Module):
    """A layer whose weights start as N(0, 1) and are scaled by He's constant at each use (Karras et al. 2018).

    So Adam's steps are as large, in relation to the weights, in every layer; at a `rate` below 1, with weights that are
    larger and scaled down as much, they are that much smaller.
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear, gain: float = math.sqrt(2), rate: float = 1.0) -> None:
        super().__init__()
        self.layer, self.scale, self.rate = layer, gain / math.sqrt(layer.weight[0].numel()), rate
        nn.init.normal_(layer.weight, std=1 / rate)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, values: Tensor) -> Tensor:
        computed: Tensor = self.layer(values * self.scale)
        return computed if self.rate == 1 else computed * self.rate


def convolution(before: int, after: int, size: int = 3, gain: float = math.sqrt(2)) -> Equalised:
    """An equalised convolution that keeps height and width."""
    return Equalised(nn.Conv2d(before, after, size, padding=size // 2), gain)


def linear(before: int, after: int, gain: float = math.sqrt(2), rate: float = 1.0) -> Equalised:
    """An equalised linear layer."""
    return Equalised(nn.Linear(before, after), gain, rate)


def inverse_root(squares: Tensor) -> Tensor:
    """1 / sqrt(squares), finite at 0 too.

    A bound rather than the papers' addition of 1e-8, which the exporter takes for an addition of 0 and leaves out.
    """
    return squares.clamp_min(1e-8).rsqrt()


class PixelNorm(nn.Module):
    """Each place's vector (N, C, ...) divided by its root mean square."""

    def forward(self, maps: Tensor) -> Tensor:
        wide = maps.float()
        planes = wide.square().reshape(maps.shape[0], 1, maps.shape[1], -1)
        # ONNX Runtime pools each sample alike; a mean over an axis it adds up in another order for a batch of one.
        mean = F.avg_pool2d(planes, (maps.shape[1], 1)).view(maps.shape[0], 1, *maps.shape[2:])
        normalised: Tensor = wide * inverse_root(mean)
        return normalised.to(maps.dtype)


def leaky() -> nn.Module:
    """The activation of both papers."""
    return nn.LeakyReLU(0.2)


class MinibatchDeviation(nn.Module):
    """One more map (N, C + 1, H, W): how much a group of four samples differs, on average over everything."""

    group = 4

    def forward(self, maps: Tensor) -> Tensor:
        group = self.group if len(maps) % self.group == 0 else len(maps)
        groups = maps.float().view(group, -1, *maps.shape[1:])
        variance = (groups - groups.mean(dim=0)).square().mean(dim=0)
        deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
        plane = deviation.repeat(group)[:, None, None, None].expand(-1, 1, *maps.shape[2:])
        return torch.cat([maps, plane.to(maps.dtype)], dim=1)


class Growing(nn.Module):
    """A network that works at one resolution after the other; each new one is faded in.

    Both figures are integers, so that an average of the weights copies them.
    """

    level: Tensor  # the resolution is the base's, doubled so many times
    fade: Tensor  # how far the newest resolution has come in, of WHOLE

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.tensor(0))
        self.register_buffer("fade", torch.tensor(WHOLE))

    @property
    def alpha(self) -> float:
        """The newest resolution's share of the image, 0 to 1."""
        return int(self.fade) / WHOLE

    def grow(self) -> None:
        """Double the resolution; the new one has no share yet."""
        self.level.add_(1)
        self.fade.zero_()

    def fade_in(self, share: float) -> None:
        """Give the newest resolution this share; when it has come in once, it stays."""
        if self.alpha < 1:
            self.fade.fill_(round(share * WHOLE))


class GrowingDiscriminator(Growing):
    """Image (N, C, H, W) of the present resolution -> logits (N, 1).

    `widths` are the channels at each resolution, from the base's to the image's.
    """

    def __init__(self, channels: int, base: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.from_image = nn.ModuleList(nn.Sequential(convolution(channels, width, 1), leaky()) for width in widths)
        self.halvings = nn.ModuleList(halving(fine, coarse) for coarse, fine in pairwise(widths))
        self.head = judging(base, widths[0])

    def forward(self, image: Tensor) -> Tensor:
        level, alpha = int(self.level), self.alpha
        features = self.from_image[level](image)
        for lower in reversed(range(level)):
            features = self.halvings[lower](features)
            if lower == level - 1 and alpha < 1:
                features = torch.lerp(self.from_image[lower](F.avg_pool2d(image, 2)), features, alpha)
        logits: Tensor = self.head(features)
        return logits


def discriminator(channels: int, base: int, widths: Sequence[int]) -> nn.Sequential:
    """The same at full size from the start."""
    halvings = [halving(fine, coarse) for coarse, fine in reversed([*pairwise(widths)])]
    return nn.Sequential(convolution(channels, widths[-1], 1), leaky(), *halvings, judging(base, widths[0]))


def halving(before: int, after: int) -> nn.Sequential:
    """(N, before, H, W) -> (N, after, H/2, W/2)."""
    return nn.Sequential(
        convolution(before, before), leaky(), convolution(before, after), leaky(), nn.AvgPool2d(2)
    )  # fmt: skip


def judging(base: int, width: int) -> nn.Sequential:
    """What is left at the base's resolution (N, width, base, base) -> logits (N, 1)."""
    return nn.Sequential(
        MinibatchDeviation(), convolution(width + 1, width), leaky(),
        nn.Flatten(), linear(width * base * base, width), leaky(), linear(width, 1, gain=1),
    )  # fmt: skip
