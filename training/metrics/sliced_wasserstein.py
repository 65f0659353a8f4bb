"""ProGAN's sliced Wasserstein distance between the patches of two sets of images, at each resolution.

Karras et al. 2018, section 5, https://arxiv.org/abs/1710.10196
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 7  # pixels of a patch
PATCHES = 32  # of each image
DIRECTIONS = 256
COARSEST = 16  # pixels of the smallest image of a pyramid


def sliced_wasserstein(real: Tensor, fake: Tensor, seed: int = 0) -> dict[int, float]:
    """Return 1,000 times the distance between equally many images (N, C, H, W), for each level's side in pixels.

    A level of the Laplacian pyramid holds the details that the next one lacks; the last one is the coarse image.
    """
    distances = {}
    for level, other in zip(laplacian_pyramid(real), laplacian_pyramid(fake), strict=True):
        random = torch.Generator().manual_seed(seed)
        positions = torch.rand(len(level), PATCHES, 2, generator=random)
        directions = F.normalize(torch.randn(level.shape[1] * SIDE**2, DIRECTIONS, generator=random), dim=0)
        distance = _distance(_patches(level, positions), _patches(other, positions), directions)
        distances[level.shape[3]] = 1_000 * distance
    return distances


def laplacian_pyramid(images: Tensor) -> Iterator[Tensor]:
    """Yield levels (N, C, H, W), each half as large as the one before."""
    while min(images.shape[2:]) > COARSEST:
        coarse = _blurred(images)[:, :, ::2, ::2]
        yield images - _enlarged(coarse)
        images = coarse
    yield images


def _blurred(images: Tensor) -> Tensor:
    line = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    kernel = torch.outer(line, line).expand(images.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=images.shape[1])


def _enlarged(images: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    sparse = images.new_zeros(count, channels, 2 * height, 2 * width)
    sparse[:, :, ::2, ::2] = images
    return 4 * _blurred(sparse)


def _patches(images: Tensor, positions: Tensor) -> Tensor:
    """Return patches (N * P, C * SIDE^2) at positions (N, P, 2) in [0, 1), each channel with mean 0 and variance 1."""
    windows = images.unfold(2, SIDE, 1).unfold(3, SIDE, 1)  # (N, C, rows, columns, SIDE, SIDE)
    rows, columns = ((positions[:, :, axis] * count).long() for axis, count in enumerate(windows.shape[2:4]))
    chosen = windows[torch.arange(len(images))[:, None], :, rows, columns]  # (N, P, C, SIDE, SIDE)
    deviation, mean = torch.std_mean(chosen, dim=(0, 1, 3, 4), keepdim=True)
    return ((chosen - mean) / deviation.clamp_min(1e-8)).flatten(0, 1).flatten(1)


def _distance(patches: Tensor, others: Tensor, directions: Tensor) -> float:
    """Return the Wasserstein distance of the two distributions along each direction, averaged over the directions."""
    first, second = ((each @ directions).sort(dim=0).values for each in (patches, others))
    return (first - second).abs().mean().item()
