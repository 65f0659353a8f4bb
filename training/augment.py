"""Differentiable augmentation of the discriminator's inputs (Zhao et al. 2020, https://arxiv.org/abs/2006.10738).

With few images, a discriminator memorises them. Augmenting real and generated images alike prevents that, and since
gradients flow through the augmentation, the generator does not learn to imitate it.

Each function takes images (N, C, H, W) in [-1, 1], draws the change of each image from PyTorch's random generator, and
is affine in the images. Translation and cutout fill with zero, the middle of the range: grey.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_serve.errors import UsageError
from training import distributed

Augmentation = Callable[[Tensor], Tensor]


def brightness(images: Tensor) -> Tensor:
    """Add a number from [-0.5, 0.5) to each image."""
    return images + _uniform(images, -0.5, 0.5)


def saturation(images: Tensor) -> Tensor:
    """Scale each pixel's differences between channels by 0 to 2; grey images do not change."""
    return _scaled_from(images.mean(dim=1, keepdim=True), images, _uniform(images, 0, 2))


def contrast(images: Tensor) -> Tensor:
    """Scale the deviations from each image's mean by 0.5 to 1.5."""
    return _scaled_from(images.mean(dim=(1, 2, 3), keepdim=True), images, _uniform(images, 0.5, 1.5))


def translation(images: Tensor) -> Tensor:
    """Shift each image by whole pixels, at most an eighth of its size in each direction; new pixels are zero."""
    _, channels, height, width = images.shape
    rows = _origins(images, height)[:, None, :, None].expand(-1, channels, -1, width + 2)
    columns = _origins(images, width)[:, None, None, :].expand(-1, channels, height, -1)
    return F.pad(images, (1, 1, 1, 1)).gather(2, rows).gather(3, columns)


def cutout(images: Tensor) -> Tensor:
    """Set a square of half the image's size to zero; its centre is anywhere, so it may extend beyond the edge."""
    height, width = images.shape[2:]
    hidden = _span(images, height)[:, None, :, None] & _span(images, width)[:, None, None, :]
    return images.masked_fill(hidden, 0)


POLICIES: dict[str, tuple[Augmentation, ...]] = {
    "color": (brightness, saturation, contrast),
    "translation": (translation,),
    "cutout": (cutout,),
}


def find(policy: str | None) -> tuple[Augmentation, ...]:
    """Parse a comma-separated list of policies, such as `color,translation`, into augmentations in that order.

    Raises:
        UsageError: there is no policy of that name.
    """
    names = [name.strip() for name in policy.split(",")] if policy else []
    for name in names:
        if name not in POLICIES:
            raise UsageError(f"no augmentation {name!r}; give any of {','.join(POLICIES)}, with commas between them")
    return tuple(augmentation for name in names for augmentation in POLICIES[name])


def apply(images: Tensor, augmentations: Iterable[Augmentation]) -> Tensor:
    """Apply the augmentations in order, in float32 regardless of the networks' precision."""
    images = images.float()
    for augmentation in augmentations:
        images = augmentation(images)
    return images


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Draw a number for each image: (N, 1, 1, 1)."""
    return low + (high - low) * distributed.own_share(torch.rand, len(images), 1, 1, 1, like=images)


def _whole(images: Tensor, low: int, high: int) -> Tensor:
    """Draw a whole number for each image, limits included: (N, 1)."""
    return low + (distributed.own_share(torch.rand, len(images), 1, like=images) * (high - low + 1)).long()


def _scaled_from(middle: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return middle + factor * (images - middle)


def _origins(images: Tensor, size: int) -> Tensor:
    """Return the source index (N, size) of each position along one axis of a shifted image, padded by one pixel."""
    positions = torch.arange(size, device=images.device) - _whole(images, -(size // 8), size // 8)
    return (positions + 1).clamp(0, size + 1)


def _span(images: Tensor, size: int) -> Tensor:
    """Return whether the square covers each position along one axis: (N, size)."""
    side = size // 2
    position = torch.arange(size, device=images.device) - _whole(images, -(side // 2), size - (side + 1) // 2)
    return (position >= 0) & (position < side)
