"""Bicubic resampling as super-resolution papers have it."""

from torch import Tensor
from torch.nn import functional as F


def bicubic(images: Tensor, height: int, width: int) -> Tensor:
    """Images (N, C, H, W) -> (N, C, height, width), with a = -1/2 and, where they shrink, a filter as much wider.

    As MATLAB's imresize does it, but for its mirrored edges; what is cut off before a score is taken hides those.
    """
    resized: Tensor = F.interpolate(images.float(), (height, width), mode="bicubic", antialias=True)
    return resized


def reduced(images: Tensor, factor: int) -> Tensor:
    """Images in [-1, 1] with sides of a multiple of the factor -> as much smaller, in steps of 8 bits."""
    small = bicubic(images, images.shape[-2] // factor, images.shape[-1] // factor)
    return ((small + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


def enlarged(images: Tensor, factor: int) -> Tensor:
    """Images in [-1, 1] -> as much larger: what can be had without a network."""
    return bicubic(images, images.shape[-2] * factor, images.shape[-1] * factor).clamp(-1, 1)
