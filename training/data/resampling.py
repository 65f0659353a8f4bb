"""Bicubic resampling as used in papers on super-resolution."""

from torch import Tensor
from torch.nn import functional as F


def bicubic(images: Tensor, height: int, width: int) -> Tensor:
    """Resize images (N, C, H, W) to (N, C, height, width), with a = -1/2 and a wider filter where they shrink.

    The result equals that of MATLAB's imresize except for its mirrored edges, which are cut off before scoring.
    """
    resized: Tensor = F.interpolate(images.float(), (height, width), mode="bicubic", antialias=True)
    return resized


def reduced(images: Tensor, factor: int) -> Tensor:
    """Shrink images in [-1, 1], whose sides are multiples of the factor, by the factor, and round them to 8 bits."""
    small = bicubic(images, images.shape[-2] // factor, images.shape[-1] // factor)
    return ((small + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


def enlarged(images: Tensor, factor: int) -> Tensor:
    """Enlarge images in [-1, 1] by the factor: the baseline without a network."""
    return bicubic(images, images.shape[-2] * factor, images.shape[-1] * factor).clamp(-1, 1)
