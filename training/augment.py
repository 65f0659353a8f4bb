"""Differentiable augmentation (Zhao et al. 2020, https://arxiv.org/abs/2006.10738): what the discriminator sees.

With few images a discriminator learns them by heart. Where real and generated images are augmented alike before it sees
them, it cannot, and the generator learns through the augmentation instead of imitating it.

Each function takes images (N, C, H, W) in [-1, 1], treats each of them in a way of its own, drawn from PyTorch's random
generator, and is affine in them. Zero, what translation and cutout fill with, is the middle of the range, a grey.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_serve.errors import UsageError
from training import distributed

Augmentation = Callable[[Tensor], Tensor]


def brightness(images: Tensor) -> Tensor:
    """Add a number from [-0.5, 0.5)."""
    return images + _uniform(images, -0.5, 0.5)


def saturation(images: Tensor) -> Tensor:
    """Scale what sets the channels of a pixel apart, by 0 to 2; grey images stay as they are."""
    return _scaled_from(images.mean(dim=1, keepdim=True), images, _uniform(images, 0, 2))


def contrast(images: Tensor) -> Tensor:
    """Scale what sets the values of an image apart, by 0.5 to 1.5."""
    return _scaled_from(images.mean(dim=(1, 2, 3), keepdim=True), images, _uniform(images, 0.5, 1.5))


def translation(images: Tensor) -> Tensor:
    """Shift by whole pixels, at most an eighth of the size in either direction; what comes in is zero."""
    _, channels, height, width = images.shape
    rows = _origins(images, height)[:, None, :, None].expand(-1, channels, -1, width + 2)
    columns = _origins(images, width)[:, None, None, :].expand(-1, channels, height, -1)
    return F.pad(images, (1, 1, 1, 1)).gather(2, rows).gather(3, columns)


def cutout(images: Tensor) -> Tensor:
    """Set a square of half the size to zero; its centre is anywhere in the image, so it may reach over the edge."""
    height, width = images.shape[2:]
    hidden = _span(images, height)[:, None, :, None] & _span(images, width)[:, None, None, :]
    return images.masked_fill(hidden, 0)


POLICIES: dict[str, tuple[Augmentation, ...]] = {
    "color": (brightness, saturation, contrast),
    "translation": (translation,),
    "cutout": (cutout,),
}


def find(policy: str | None) -> tuple[Augmentation, ...]:
    """What `color,translation` or another list of known names stands for, in its order.

    Raises:
        UsageError: there is no augmentation of such a name.
    """
    names = [name.strip() for name in policy.split(",")] if policy else []
    for name in names:
        if name not in POLICIES:
            raise UsageError(f"no augmentation {name!r}; give any of {','.join(POLICIES)}, with commas between them")
    return tuple(augmentation for name in names for augmentation in POLICIES[name])


def apply(images: Tensor, augmentations: Iterable[Augmentation]) -> Tensor:
    """One after the other, in float32 whatever the networks' precision."""
    images = images.float()
    for augmentation in augmentations:
        images = augmentation(images)
    return images


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    """A number for each image, (N, 1, 1, 1)."""
    return low + (high - low) * distributed.own_share(torch.rand, len(images), 1, 1, 1, like=images)


def _whole(images: Tensor, low: int, high: int) -> Tensor:
    """A whole number for each image, (N, 1), the limits included."""
    return low + (distributed.own_share(torch.rand, len(images), 1, like=images) * (high - low + 1)).long()


def _scaled_from(middle: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return middle + factor * (images - middle)


def _origins(images: Tensor, size: int) -> Tensor:
    """Where each place along one axis of a shifted image comes from, (N, size), in an image with a margin of one."""
    places = torch.arange(size, device=images.device) - _whole(images, -(size // 8), size // 8)
    return (places + 1).clamp(0, size + 1)


def _span(images: Tensor, size: int) -> Tensor:
    """Which places along one axis the square covers, (N, size)."""
    side = size // 2
    place = torch.arange(size, device=images.device) - _whole(images, -(side // 2), size - (side + 1) // 2)
    return (place >= 0) & (place < side)
