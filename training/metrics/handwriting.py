"""Traits of handwriting: pure functions of images of light strokes on a dark ground."""

import torch
from torch import Tensor
from torch.nn import functional as F

TRAITS = {"slant": "From left to right.", "width": "Of the strokes."}  # what a code may come to control
CLEAR = 0.5  # the smallest correlation at which a code counts as controlling a trait


def slant(images: Tensor) -> Tensor:
    """Return how far strokes in images (N, C, H, W) in [-1, 1] lean to the right, as a tangent: (N,)."""
    ink = (images.mean(dim=1) + 1) / 2
    ink = ink / ink.sum(dim=(1, 2), keepdim=True).clamp_min(1e-6)
    rows = torch.arange(ink.shape[1], dtype=ink.dtype, device=ink.device)
    columns = torch.arange(ink.shape[2], dtype=ink.dtype, device=ink.device)
    below = rows - (ink.sum(dim=2) * rows).sum(dim=1, keepdim=True)
    right = columns - (ink.sum(dim=1) * columns).sum(dim=1, keepdim=True)
    covariance = torch.einsum("nyx,ny,nx->n", ink, below, right)
    return -covariance / torch.einsum("nyx,ny->n", ink, below.square()).clamp_min(1e-6)


def width(images: Tensor) -> Tensor:
    """Return the width in pixels of strokes in images (N, C, H, W) in [-1, 1], area by half of outline: (N,)."""
    ink = F.pad((images.mean(dim=1) + 1) / 2, (1, 1, 1, 1))
    steps = ink.diff(dim=1)[:, :, :-1].square() + ink.diff(dim=2)[:, :-1].square()  # `hypot` cannot be exported
    outline = steps.sqrt().sum(dim=(1, 2))
    return 2 * ink.sum(dim=(1, 2)) / outline.clamp_min(1e-6)


def correlations(codes: Tensor, images: Tensor) -> Tensor:
    """Return the correlation of each of the codes (2, N) with each trait of the images: |r|, (2, 2)."""
    table = torch.corrcoef(torch.cat([codes, torch.stack([slant(images), width(images)])]))
    return table[:2, 2:].abs().nan_to_num()


def named(correlations: Tensor, fallbacks: list[str]) -> list[str]:
    """Name each code by the trait that it controls, no two by the same, or by its fallback if it controls none."""
    crossed = correlations[0, 1] + correlations[1, 0] > correlations.trace()
    traits = list(TRAITS)[::-1] if crossed else list(TRAITS)
    strengths = correlations.fliplr().diagonal() if crossed else correlations.diagonal()
    return [
        trait if strength >= CLEAR else fallback
        for trait, strength, fallback in zip(traits, strengths.tolist(), fallbacks, strict=True)
    ]
