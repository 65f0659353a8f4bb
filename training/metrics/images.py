"""Compare images with the truth, pixel by pixel: pure functions of images (N, C, H, W) in [-1, 1]."""

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

MOST_DECIBELS = 60.0  # of identical images


def l1(images: Tensor, truth: Tensor) -> float:
    """Return the mean absolute difference of the pixels."""
    return float((images - truth).abs().mean())


def psnr(images: Tensor, truth: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB, at most 60 for each image, averaged over the images."""
    each = [peak_signal_noise_ratio(*pair, data_range=2.0) for pair in zip(images, truth, strict=True)]
    return float(torch.stack(each).clamp(max=MOST_DECIBELS).mean())


def ssim(images: Tensor, truth: Tensor) -> float:
    """Return the structural similarity (Wang et al. 2004)."""
    return float(structural_similarity_index_measure(images, truth, data_range=2.0))  # type: ignore[arg-type]


def retrieval(images: Tensor, truth: Tensor) -> float:
    """Return the share of rows (N, ...) that are nearer to their own partner than to any other, by squared distance."""
    nearest = torch.cdist(images.flatten(1), truth.flatten(1)).argmin(dim=1)
    return float((nearest == torch.arange(len(images))).float().mean())


def sharpness(images: Tensor, truth: Tensor) -> float:
    """Return the mean difference of neighbouring pixels as a share of the truth's; less than 1 is blurred."""
    energies = [sum(each.diff(dim=axis).abs().mean() for axis in (2, 3)) for each in (images, truth)]
    return float(energies[0] / energies[1])


def patches(images: Tensor, side: int) -> Tensor:
    """Cut images into all squares of `side` pixels that fit side by side: (M, C, side, side)."""
    windows = images.unfold(2, side, side).unfold(3, side, side)
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, images.shape[1], side, side)
