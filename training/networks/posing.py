"""Networks that draw the character of an image in another pose."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.palettes import Colour
from training.networks.translation import UNet


class PoseMaps(nn.Module):
    """Pose (N,) -> maps (N, parts, size, size) in [0, 1]: how often each part is at each place in that pose."""

    shares: Tensor  # uint8, in steps of 1/255

    def __init__(self, poses: int, parts: int, size: int) -> None:
        super().__init__()
        self.register_buffer("shares", torch.zeros(poses, parts, size, size, dtype=torch.uint8))

    def count(self, painted: Tensor, poses: Tensor, colours: Sequence[Colour]) -> None:
        """Count the colours of the parts in painted maps of bytes (N, 3, size, size), whose poses (N,) are given."""
        for pose, maps in enumerate(self.shares):
            shown = painted[poses == pose]
            for colour, share in zip(colours, maps, strict=True):
                is_part = (shown == torch.tensor(colour, dtype=torch.uint8)[:, None, None]).all(dim=1)
                share.copy_(255 * is_part.float().mean(dim=0).nan_to_num())

    def forward(self, pose: Tensor) -> Tensor:
        return self.shares[pose].float() / 255


class Coarse(nn.Module):
    """Stage I: image (N, C, S, S) and pose (N,) -> image in [-1, 1], by a U-Net with a dense layer in the middle."""

    def __init__(self, channels: int, maps: PoseMaps, width: int, dense: int) -> None:
        super().__init__()
        _, parts, size, _ = maps.shares.shape
        self.maps = maps
        self.drawing = UNet(channels + parts, channels, size, width, dropout=0, dense=dense)

    def forward(self, image: Tensor, pose: Tensor) -> Tensor:
        return torch.tanh(self.drawing(torch.cat([image, self.maps(pose)], dim=1)))


class Refined(nn.Module):
    """Stage II: image (N, C, S, S) and pose (N,) -> stage I's image plus a U-Net's difference."""

    def __init__(self, coarse: Coarse, difference: UNet) -> None:
        super().__init__()
        self.coarse, self.difference = coarse, difference

    def forward(self, image: Tensor, pose: Tensor) -> Tensor:
        first = self.coarse(image, pose)
        return F.hardtanh(first + self.difference(torch.cat([image, first], dim=1)))
