"""Generators that translate images into images, and discriminators of patches."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.layers import InstanceNorm, init_dcgan, leaky


class UNet(nn.Module):
    """Image (N, before, S, S) -> maps (N, after, S, S), S even (Ronneberger et al. 2015, Isola et al. 2017).

    The maps are halved as often as possible, though not below 2x2, and doubled again; each size on the way up also
    gets the maps of that size from the way down. Convolutions are 4x4; there is no normalisation next to the image and
    at the smallest size, where it would leave little. Dropout is the only noise. `dense` is the number of values of a
    dense layer at the smallest size, if there is to be one.
    """

    def __init__(
        self, before: int, after: int, size: int, width: int, dropout: float = 0.5, dense: int | None = None
    ) -> None:
        super().__init__()
        depth = next(halvings for halvings in range(size) if size % 2 ** (halvings + 1) or size == 2 ** (halvings + 1))
        widths = [before, *(width * min(2**level, 4) for level in range(depth))]
        self.down = nn.ModuleList(
            _halving(coarse, fine, norm=0 < level < depth - 1) for level, (coarse, fine) in enumerate(pairwise(widths))
        )
        self.middle = _dense(widths[-1], size // 2**depth, dense) if dense else nn.Identity()
        self.up = nn.ModuleList()
        for level in range(depth - 1, 0, -1):
            inputs = widths[level + 1] * (1 if level == depth - 1 else 2)
            self.up.append(_doubling(inputs, widths[level], dropout if level > depth - 3 else 0))
        self.head = nn.ConvTranspose2d(widths[1] * (1 if depth == 1 else 2), after, 4, stride=2, padding=1)
        self.apply(init_dcgan)

    def forward(self, image: Tensor) -> Tensor:
        skips: list[Tensor] = []
        maps = image
        for halve in self.down:
            maps = halve(maps)
            skips.append(maps)
        skips.pop()
        maps = self.middle(maps)
        for double in self.up:
            maps = torch.cat([double(maps), skips.pop()], dim=1)
        drawn: Tensor = self.head(maps)
        return drawn


def _halving(before: int, after: int, *, norm: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=not norm)]
    return nn.Sequential(*layers, *([InstanceNorm(after)] if norm else []), leaky())


def _dense(channels: int, side: int, values: int) -> nn.Sequential:
    """A dense layer (N, channels, side, side) -> (N, values, 1, 1), and one back.

    They are convolutions, whose results do not depend on the batch, unlike those of a matrix product.
    """
    narrow = nn.Conv2d(channels, values, side)
    return nn.Sequential(narrow, leaky(), nn.ConvTranspose2d(values, channels, side), leaky())


def _doubling(before: int, after: int, dropout: float = 0.0) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
    noise = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(convolution, InstanceNorm(after), *noise, nn.ReLU(inplace=True))


def encoder(channels: int, widths: Sequence[int]) -> nn.Sequential:
    """Image (N, channels, H, W) -> maps (N, widths[-1], h, w), halved once per width."""
    down = [_halving(before, after) for before, after in pairwise(widths)]
    return nn.Sequential(_halving(channels, widths[0], norm=False), *down)


def decoder(channels: int, widths: Sequence[int]) -> nn.Sequential:
    """Maps (N, widths[-1], h, w) of the encoder with these widths -> image (N, channels, H, W) in [-1, 1]."""
    up = [_doubling(before, after) for before, after in pairwise(reversed(widths))]
    return nn.Sequential(*up, nn.ConvTranspose2d(widths[0], channels, 4, stride=2, padding=1), nn.Tanh())


class ResidualBlock(nn.Module):
    """(N, C, H, W) -> the same shape: two 3x3 convolutions with reflected edges, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*convolved(channels, channels, 3), *convolved(channels, channels, 3)[:-1])

    def forward(self, maps: Tensor) -> Tensor:
        both: Tensor = maps + self.body(maps)
        return both


def convolved(before: int, after: int, size: int) -> list[nn.Module]:
    """Return a convolution block; with size 7, c7s1-k of Johnson et al. 2016. Reflected edges avoid a visible frame."""
    convolution = nn.Conv2d(before, after, size, padding=size // 2, padding_mode="reflect", bias=False)
    return [convolution, InstanceNorm(after), nn.ReLU(inplace=True)]


def halved(before: int, after: int) -> list[nn.Module]:
    """Return dk of Johnson et al. 2016: a strided 3x3 convolution block."""
    convolution = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
    return [convolution, InstanceNorm(after), nn.ReLU(inplace=True)]


def doubled(before: int, after: int) -> list[nn.Module]:
    """Return uk of Johnson et al. 2016: a transposed 3x3 convolution block."""
    convolution = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1, bias=False)
    return [convolution, InstanceNorm(after), nn.ReLU(inplace=True)]


def to_image(before: int, channels: int) -> nn.Sequential:
    """(N, before, H, W) -> image (N, channels, H, W) in [-1, 1]: the last layer, c7s1-3."""
    return nn.Sequential(nn.Conv2d(before, channels, 7, padding=3, padding_mode="reflect"), nn.Tanh())


def residual_features(before: int, width: int, blocks: int) -> nn.Sequential:
    """(N, before, H, W) -> (N, width, H, W) through residual blocks at a quarter of the size (Johnson et al. 2016)."""
    return nn.Sequential(
        *convolved(before, width, 7), *halved(width, 2 * width), *halved(2 * width, 4 * width),
        *(ResidualBlock(4 * width) for _ in range(blocks)),
        *doubled(4 * width, 2 * width), *doubled(2 * width, width),
    )  # fmt: skip


def residual_translator(channels: int, width: int, blocks: int) -> nn.Sequential:
    """Image (N, channels, H, W) -> the same shape in [-1, 1]."""
    translator = nn.Sequential(residual_features(channels, width, blocks), to_image(width, channels))
    return translator.apply(init_dcgan)


class PatchDiscriminator(nn.Module):
    """Images (N, C, H, W), concatenated -> logits (N, 1, h, w), one for each of many overlapping patches.

    A patch is 34x34 pixels with two halvings, and 70x70 with three (Isola et al. 2017).
    """

    def __init__(self, channels: int, width: int, halvings: int = 2) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings)]
        last = 2 * widths[-1]
        flat = nn.Conv2d(widths[-1], last, 4, padding=2, bias=False)
        self.blocks = nn.ModuleList(
            [
                _halving(channels, width, norm=False),
                *(_halving(before, after) for before, after in pairwise(widths)),
                nn.Sequential(flat, InstanceNorm(last), leaky()),
                nn.Conv2d(last, 1, 4, padding=2),
            ]
        ).apply(init_dcgan)

    def features(self, *images: Tensor) -> list[Tensor]:
        """Return each block's output; the last one is the logits."""
        maps = [torch.cat(images, dim=1)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps[1:]

    def forward(self, *images: Tensor) -> Tensor:
        return self.features(*images)[-1]


class MultiScaleDiscriminator(nn.Module):
    """Equal patch discriminators of the images at full, half and quarter size."""

    def __init__(self, channels: int, width: int, scales: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels, width) for _ in range(scales))

    def forward(self, *images: Tensor) -> list[list[Tensor]]:
        """Return the outputs of each scale's blocks; the last of each scale is its logits."""
        features = []
        for scale in self.scales:
            features.append(scale.features(*images))  # type: ignore[operator]  # a ModuleList has untyped items
            images = tuple(F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False) for image in images)
        return features


class ImagePool(nn.Module):
    """The image pool of Shrivastava et al. 2017: a discriminator also sees images that were generated earlier.

    It stores generated images and exchanges half of those passed in for stored ones. Its state is saved with the game,
    so that a resumed training sees the same images.
    """

    images: Tensor  # uint8: an average of the weights would mix floating-point images
    held: Tensor

    def __init__(self, size: int, channels: int, side: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, channels, side, side, dtype=torch.uint8))
        self.register_buffer("held", torch.tensor(0))

    @torch.no_grad()
    def exchange(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] -> as many images, some of them older, without gradients."""
        return torch.stack([self._exchanged(image) for image in images.detach()])

    def _exchanged(self, image: Tensor) -> Tensor:
        """Exchange one image, without a branch, so that a GPU can record and replay the computation."""
        size = len(self.images)
        is_filling = self.held < size
        drawn = (torch.rand((), device=image.device) * size).long()
        place = torch.where(is_filling, self.held, drawn).clamp(max=size - 1)[None]
        passes = is_filling | (torch.rand((), device=image.device) < 0.5)
        old = self.images.index_select(0, place)[0]
        new = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        self.images.index_copy_(0, place, torch.where(is_filling | ~passes, new, old)[None])
        self.held += is_filling
        return torch.where(passes, image, old.to(image.dtype) / 127.5 - 1)
