"""Layers, blocks and initialisations that variants share, and the networks of DCGAN."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError

Norm = Callable[[int], nn.Module]  # channels -> a normalising layer

DCGAN_DOUBLINGS = 4  # in the paper's networks, from 4x4 to 64x64


def base_size(size: int) -> tuple[int, int]:
    """Return the side of the smallest feature map and the doublings from it to `size`: 28 -> (7, 2), 32 -> (4, 3).

    Raises:
        UsageError: no number of doublings leads from a map of 3 to 7 pixels to this size.
    """
    doublings = 0
    while size > 7 and size % 2 == 0:
        size, doublings = size // 2, doublings + 1
    if not 3 <= size <= 7:
        raise UsageError("these networks need square images whose side is 3 to 7 times a power of two: 28, 32, 48, 64")
    return size, doublings


def dcgan_generator(inputs: int, channels: int, size: int, width: int = 64) -> nn.Sequential:
    """Vector (N, inputs) -> image (N, channels, size, size) in [-1, 1]; `width` is that of the last hidden layer.

    It follows the DCGAN paper: no pooling, no dense hidden layer, batch normalisation except at the output, ReLU and
    tanh, transposed convolutions. Unlike the paper's, a network with fewer resolutions than the paper's has a 3x3
    convolution at each resolution below the image's.
    """
    base, doublings = base_size(size)
    widths = [width * 2**level for level in reversed(range(doublings))]
    project = nn.Linear(inputs, widths[0] * base * base, bias=False)  # the paper's "project and reshape"
    blocks: list[nn.Module] = [project, nn.Unflatten(1, (widths[0], base, base)), nn.BatchNorm2d(widths[0]), _relu()]
    blocks += _same_size(widths[0], nn.BatchNorm2d, _relu(), doublings)
    for before, after in pairwise(widths):
        convolution = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
        blocks += [convolution, nn.BatchNorm2d(after), _relu(), *_same_size(after, nn.BatchNorm2d, _relu(), doublings)]
    blocks += [nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1), nn.Tanh()]
    return nn.Sequential(*blocks).apply(init_dcgan)


def _same_size(channels: int, norm: Norm, activation: nn.Module, doublings: int) -> list[nn.Module]:
    """Return a 3x3 convolution for networks of small images; at the paper's full depth it would drown the latent."""
    if doublings >= DCGAN_DOUBLINGS:
        return []
    return [nn.Conv2d(channels, channels, 3, padding=1, bias=False), norm(channels), activation]


def _relu() -> nn.Module:
    return nn.ReLU(inplace=True)


def leaky() -> nn.Module:
    """Return the activation of DCGAN's discriminator."""
    return nn.LeakyReLU(0.2, inplace=True)


def dcgan_features(channels: int, size: int, width: int = 64, norm: Norm = nn.BatchNorm2d) -> nn.Sequential:
    """Image (N, channels, size, size) -> features (N, C, base, base).

    It follows the DCGAN paper: no pooling, strided convolutions, leaky ReLU, normalisation except at the input. A
    network with fewer resolutions has the generator's additional 3x3 convolutions: without them, it cannot
    distinguish generated images from the data (D = 0.5) long before they are good.
    """
    _, doublings = base_size(size)
    widths = [width * 2**level for level in range(doublings)]
    blocks: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), leaky()]
    blocks += _same_size(width, norm, leaky(), doublings)
    for before, after in pairwise(widths):
        convolution = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
        blocks += [convolution, norm(after), leaky(), *_same_size(after, norm, leaky(), doublings)]
    return nn.Sequential(*blocks).apply(init_dcgan)


def dcgan_width(size: int, width: int = 64) -> int:
    """Return the number of channels of `dcgan_features`' output."""
    _, doublings = base_size(size)
    return width << (doublings - 1)


def dcgan_head(size: int, width: int = 64, outputs: int = 1) -> nn.Sequential:
    """The features of `dcgan_features` -> logits (N, outputs)."""
    base, _ = base_size(size)
    head = nn.Sequential(nn.Conv2d(dcgan_width(size, width), outputs, base), nn.Flatten())
    return head.apply(init_dcgan)


def dcgan_discriminator(channels: int, size: int, width: int = 64, norm: Norm = nn.BatchNorm2d) -> nn.Sequential:
    """Image (N, channels, size, size) -> logits (N, 1)."""
    return dcgan_features(channels, size, width, norm).append(dcgan_head(size, width))


class InstanceNorm(nn.InstanceNorm2d):
    """Normalise each image on its own, with a learned scale: for critics whose gradients are penalised per sample."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)


def pointwise(before: int, after: int) -> nn.Sequential:
    """A 1x1 convolution with batch normalisation: (N, before, H, W) -> (N, after, H, W)."""
    convolution = nn.Conv2d(before, after, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), leaky()).apply(init_dcgan)


def init_dcgan(module: nn.Module) -> None:
    """Initialise weights from N(0, 0.02), as in the DCGAN paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def doubled(maps: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), by nearest neighbours."""
    return F.interpolate(maps, scale_factor=2.0, mode="nearest")


class LabelledGenerator(nn.Module):
    """Latent (N, Z) and label (N,) -> image: DCGAN's generator, given the latent and the one-hot label."""

    def __init__(self, latent_size: int, classes: int, channels: int, size: int, width: int = 64) -> None:
        super().__init__()
        self.classes = classes
        self.body = dcgan_generator(latent_size + classes, channels, size, width)

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        """Images (N, channels, size, size) in [-1, 1]."""
        images: Tensor = self.body(torch.cat([latent, one_hot(label, self.classes)], dim=1))
        return images


def one_hot(label: Tensor, classes: int) -> Tensor:
    """Class indices (N,) -> float32 (N, classes)."""
    return F.one_hot(label, classes).float()


def concatenate_label(images: Tensor, label: Tensor) -> Tensor:
    """Append one constant plane per class: (N, C, H, W) and one-hot (N, K) -> (N, C + K, H, W)."""
    planes = label.to(images.dtype)[:, :, None, None].expand(-1, -1, *images.shape[2:])
    return torch.cat([images, planes], dim=1)


@contextmanager
def frozen_batchnorm_stats(network: nn.Module) -> Iterator[None]:
    """Temporarily freeze BatchNorm's running statistics, which the served network uses."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@torch.no_grad()
def ema_update(average: nn.Module, network: nn.Module, share: float) -> None:
    """Move the average's weights and buffers by a share of the distance towards those of the network."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, share)
        else:
            mean.copy_(value)  # counters
