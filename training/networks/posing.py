"""Networks that draw the character of an image in another pose."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.translation import UNet


class PoseMaps(nn.Module):
    """Pose (N,) -> maps (N, parts, size, size) in [0, 1]: how often each part is at each place in that pose."""

    shares: Tensor  # uint8, in steps of 1/255

    def __init__(self, poses: int, parts: int, size: int) -> None:
        super().__init__()
        self.register_buffer("shares", torch.zeros(poses, parts, size, size, dtype=torch.uint8))

    def count(self, parts: Tensor, poses: Tensor) -> None:
        """Set the maps to the means of part numbers (N, size, size) of each pose (N,); 0, the background, has none."""
        for pose, maps in enumerate(self.shares):
            shown = parts[poses == pose]
            for number, share in enumerate(maps, start=1):
                share.copy_(255 * (shown == number).float().mean(dim=0).nan_to_num())

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
