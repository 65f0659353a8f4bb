"""Holes in images, and baselines that fill them without a network."""

import torch
from torch import Tensor


def middle(size: int) -> tuple[slice, slice]:
    """Return the rows and columns of a hole in the middle, three eighths of the image wide."""
    first = size * 5 // 16
    return (slice(first, size - first),) * 2


def random_holes(uniform: Tensor, size: int) -> Tensor:
    """Return masks (N, 1, size, size), 1 in the hole, for uniform numbers (N, 5) in [0, 1).

    Half of the holes are in the middle; the others are rectangles anywhere, whose sides are an eighth to a half of the
    image's.
    """
    sides = (size * (1 + 3 * uniform[:, :2]) / 8).floor()
    corners = (uniform[:, 2:4] * (size - sides + 1)).floor()
    inner, outer = middle(size)[0].start, middle(size)[0].stop
    is_middle = uniform[:, 4:] < 0.5
    first = torch.where(is_middle, inner, corners)[:, :, None]
    last = torch.where(is_middle, outer, corners + sides)[:, :, None]
    positions = torch.arange(size, device=uniform.device)
    rows, columns = ((positions >= first) & (positions < last)).unbind(dim=1)
    return (rows[:, :, None] & columns[:, None, :])[:, None].float()


def mean_fill(seen: Tensor, mask: Tensor) -> Tensor:
    """Fill images (N, C, H, W), which are 0 in the hole, with the mean colour of their other pixels."""
    mean = seen.sum(dim=(2, 3), keepdim=True) / (1 - mask).sum(dim=(2, 3), keepdim=True)
    return seen + mean * mask


def nearest_fill(truth: Tensor, mask: Tensor, others: Tensor) -> Tensor:
    """Fill images (N, C, H, W) from the other image that is nearest outside the hole, which is the same in all masks.

    The first N of the others (M, C, H, W) are the images themselves.
    """
    distances = torch.cdist((truth * (1 - mask)).flatten(1), (others * (1 - mask[:1])).flatten(1))
    distances.fill_diagonal_(float("inf"))
    return truth * (1 - mask) + others[distances.argmin(dim=1)] * mask
