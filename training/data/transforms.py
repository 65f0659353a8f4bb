"""Images moved, mirrored and warped, so that a data set shows more of what does not matter."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training import distributed
from training.data.dataset import Batch, BatchSource, Dataset, mirrored_at, random_at


@dataclass(frozen=True)
class Jittered:
    """A source of which each batch is moved and every other one mirrored, all images of a thing alike."""

    source: BatchSource
    most: int  # pixels

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Batches as the source has them; how they are moved depends on the seed and the step alone."""
        for step, batch in enumerate(self.source.batches(batch_size, seed, device, first_step), first_step):
            corner = torch.randint(2 * self.most + 1, (2,), generator=random_at(seed, step))
            yield {
                name: mirrored_at(step, shifted(values, self.most, corner)) if values.dim() == 4 else values
                for name, values in batch.items()
            }


def mirrored(dataset: Dataset) -> BatchSource:
    """The data set, every other batch of it mirrored where its images might as well be."""
    return Jittered(dataset, 0) if dataset.mirrored else dataset


def shifted(images: Tensor, most: int, corner: Tensor) -> Tensor:
    """Images (N, C, H, W) moved alike: cut at a corner (2,) after `most` pixels like the edges were put around."""
    top, left = corner.tolist()
    height, width = images.shape[2:]
    return F.pad(images, (most,) * 4, mode="replicate")[:, :, top : top + height, left : left + width]


def warped(images: Tensor) -> Tensor:
    """Images (N, C, H, W) on a ground of -1, each turned, sheared, scaled and moved a little in a way of its own."""
    turn, shear, wide, high, right, down = (
        most * (2 * distributed.own_share(torch.rand, len(images), like=images) - 1)
        for most in (0.25, 0.4, 0.2, 0.2, 0.15, 0.15)  # radians, tangent, two logarithms, shares of half a side
    )
    cosine, sine = turn.cos(), turn.sin()
    across = torch.stack([cosine * wide.exp(), (shear * cosine - sine) * high.exp(), right], dim=1)
    along = torch.stack([sine * wide.exp(), (shear * sine + cosine) * high.exp(), down], dim=1)
    grid = F.affine_grid(torch.stack([across, along], dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images.float() + 1, grid, align_corners=False) - 1
