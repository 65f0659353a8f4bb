"""What ProGAN and StyleGAN share: equalised layers, and networks that grow with the resolution."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WHOLE = 2**16  # steps of a complete fade


def widths(width: int, doublings: int, most: int = 8) -> tuple[int, ...]:
    """Return the channels at each resolution, from the base's to the image's; each halving doubles them.

    They grow from `width` to at most `most` times the width.
    """
    return tuple(width * min(2**level, most) for level in reversed(range(doublings + 1)))


class Equalised(nn.Module):
    """A layer whose weights start as N(0, 1) and are scaled by He's constant at each use (Karras et al. 2018).

    This makes Adam's steps equally large, relative to the weights, in every layer. A `rate` below 1 makes them smaller
    by that factor: the weights are larger, and scaled down accordingly.
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
    """Return an equalised convolution that keeps height and width."""
    return Equalised(nn.Conv2d(before, after, size, padding=size // 2), gain)


def linear(before: int, after: int, gain: float = math.sqrt(2), rate: float = 1.0) -> Equalised:
    """Return an equalised linear layer."""
    return Equalised(nn.Linear(before, after), gain, rate)


def inverse_root(squares: Tensor) -> Tensor:
    """1 / sqrt(squares), finite at 0 too.

    The papers add 1e-8 instead of using a bound, but the exporter treats that as adding 0 and removes it.
    """
    return squares.clamp_min(1e-8).rsqrt()


class PixelNorm(nn.Module):
    """Divide the vector at each position of (N, C, ...) by its root mean square."""

    def forward(self, maps: Tensor) -> Tensor:
        wide = maps.float()
        planes = wide.square().reshape(maps.shape[0], 1, maps.shape[1], -1)
        # ONNX Runtime pools every sample in the same order; it sums a mean over an axis differently for a batch of one.
        mean = F.avg_pool2d(planes, (maps.shape[1], 1)).view(maps.shape[0], 1, *maps.shape[2:])
        normalised: Tensor = wide * inverse_root(mean)
        return normalised.to(maps.dtype)


def leaky() -> nn.Module:
    """Return the activation of both papers."""
    return nn.LeakyReLU(0.2)


class MinibatchDeviation(nn.Module):
    """Append a map (N, C + 1, H, W): the standard deviation within groups of four samples, averaged over all values."""

    group = 4

    def forward(self, maps: Tensor) -> Tensor:
        group = self.group if len(maps) % self.group == 0 else len(maps)
        groups = maps.float().view(group, -1, *maps.shape[1:])
        variance = (groups - groups.mean(dim=0)).square().mean(dim=0)
        deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
        plane = deviation.repeat(group)[:, None, None, None].expand(-1, 1, *maps.shape[2:])
        return torch.cat([maps, plane.to(maps.dtype)], dim=1)


class Growing(nn.Module):
    """A network whose resolution grows during training; each new resolution is faded in.

    Both buffers are integers, so that an average of the weights copies them.
    """

    level: Tensor  # the number of doublings from the base's resolution to the current one
    fade: Tensor  # the newest resolution's share, in units of 1 / WHOLE

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.tensor(0))
        self.register_buffer("fade", torch.tensor(WHOLE))

    @property
    def alpha(self) -> float:
        """Return the newest resolution's share of the image, 0 to 1."""
        return int(self.fade) / WHOLE

    def grow(self) -> None:
        """Double the resolution; the share of the new one starts at 0."""
        self.level.add_(1)
        self.fade.zero_()

    def fade_in(self, share: float) -> None:
        """Set the newest resolution's share; once it is 1, it stays."""
        if self.alpha < 1:
            self.fade.fill_(round(share * WHOLE))


class GrowingDiscriminator(Growing):
    """Image (N, C, H, W) of the current resolution -> logits (N, 1).

    `widths` are the channels at each resolution, from the base's to the image's.
    """

    def __init__(self, channels: int, base: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.from_image = nn.ModuleList(nn.Sequential(convolution(channels, width, 1), leaky()) for width in widths)
        self.halvings = nn.ModuleList(halving(fine, coarse) for coarse, fine in pairwise(widths))
        self.head = head(base, widths[0])

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
    """Return the same discriminator, with the full resolution from the start."""
    halvings = [halving(fine, coarse) for coarse, fine in reversed([*pairwise(widths)])]
    return nn.Sequential(convolution(channels, widths[-1], 1), leaky(), *halvings, head(base, widths[0]))


def halving(before: int, after: int) -> nn.Sequential:
    """(N, before, H, W) -> (N, after, H/2, W/2)."""
    return nn.Sequential(
        convolution(before, before), leaky(), convolution(before, after), leaky(), nn.AvgPool2d(2)
    )  # fmt: skip


def head(base: int, width: int) -> nn.Sequential:
    """Features at the base's resolution (N, width, base, base) -> logits (N, 1)."""
    return nn.Sequential(
        MinibatchDeviation(), convolution(width + 1, width), leaky(),
        nn.Flatten(), linear(width * base * base, width), leaky(), linear(width, 1, gain=1),
    )  # fmt: skip
