"""The image pool of Shrivastava et al. 2017: what a discriminator sees are generated images of now and of before."""

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keeps generated images; half of those that are asked about are exchanged for one of them.

    It is part of a game's state, so that a resumed training sees what it would have seen.
    """

    images: Tensor  # uint8, or a training's average would mix them
    held: Tensor

    def __init__(self, size: int, channels: int, side: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, channels, side, side, dtype=torch.uint8))
        self.register_buffer("held", torch.tensor(0))

    @torch.no_grad()
    def exchange(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] -> as many, of which some are older; nothing flows back through them."""
        return torch.stack([self._exchanged(image) for image in images.detach()])

    def _exchanged(self, image: Tensor) -> Tensor:
        """Without a branch, so that it is the same computation whatever happens."""
        size = len(self.images)
        is_filling = self.held < size
        drawn = (torch.rand((), device=image.device) * size).long()
        place = torch.where(is_filling, self.held, drawn).clamp(max=size - 1)[None]
        passes = is_filling | (torch.rand((), device=image.device) < 0.5)
        old = self.images.index_select(0, place)[0]
        new = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        self.images.index_copy_(0, place, torch.where(is_filling | ~passes, new, old)[None])
        self.held += is_filling
        return torch.where(passes, image, old.to(image.dtype) / 127.5 - 1)
