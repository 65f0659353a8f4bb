"""Move, mirror and warp images, so that networks learn to ignore such changes."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training import distributed
from training.data.dataset import Batch, BatchSource, Dataset, mirrored_at, random_at


@dataclass(frozen=True)
class Jittered:
    """A source whose batches are moved, every other one also mirrored; an image and its views move alike."""

    source: BatchSource
    most: int  # pixels

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield the source's batches, moved; the moves depend only on the seed and the step."""
        for step, batch in enumerate(self.source.batches(batch_size, seed, device, first_step), first_step):
            corner = torch.randint(2 * self.most + 1, (2,), generator=random_at(seed, step))
            yield {
                name: mirrored_at(step, shifted(values, self.most, corner)) if values.dim() == 4 else values
                for name, values in batch.items()
            }


def mirrored(dataset: Dataset) -> BatchSource:
    """Return the data set, with every other batch mirrored if mirrored images are plausible."""
    return Jittered(dataset, 0) if dataset.mirrored else dataset


def shifted(images: Tensor, most: int, corner: Tensor) -> Tensor:
    """Move all images (N, C, H, W) alike: pad `most` pixels by repeating the edges, and crop at a corner (2,)."""
    top, left = corner.tolist()
    height, width = images.shape[2:]
    return F.pad(images, (most,) * 4, mode="replicate")[:, :, top : top + height, left : left + width]


def warped(images: Tensor) -> Tensor:
    """Rotate, shear, scale and move each of the images (N, C, H, W) slightly at random; the background is -1."""
    turn, shear, wide, high, right, down = (
        most * (2 * distributed.own_share(torch.rand, len(images), like=images) - 1)
        for most in (0.25, 0.4, 0.2, 0.2, 0.15, 0.15)  # radians, tangent, two logarithms, shares of half a side
    )
    cosine, sine = turn.cos(), turn.sin()
    across = torch.stack([cosine * wide.exp(), (shear * cosine - sine) * high.exp(), right], dim=1)
    along = torch.stack([sine * wide.exp(), (shear * sine + cosine) * high.exp(), down], dim=1)
    grid = F.affine_grid(torch.stack([across, along], dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images.float() + 1, grid, align_corners=False) - 1
