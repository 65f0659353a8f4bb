"""pix2pixHD's networks: an encoder of painted label maps, and the coarse-to-fine generator."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.palettes import CAMVID
from training.networks import translation
from training.networks.layers import init_dcgan


def pooled(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H/2, W/2)."""
    return F.avg_pool2d(images, 2)


class LabelMapEncoder(nn.Module):
    """A painted map (N, 3, H, W) -> a plane of 0 and 1 for each class, and one for the boundaries between classes.

    A colour of no class counts as the nearest class's.
    """

    planes = len(CAMVID) + 1

    def forward(self, painted: Tensor) -> Tensor:
        numbers = CAMVID.numbers(painted)[:, None]
        classes = numbers == torch.arange(len(CAMVID), device=painted.device)[:, None, None]
        return torch.cat([classes.float(), boundaries(numbers)], dim=1)


def boundaries(numbers: Tensor) -> Tensor:
    """Class numbers (N, 1, H, W) -> 1 where a pixel has a neighbour of another class, 0 elsewhere."""
    values = numbers.float()
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    shifted = (padded[:, :, 1:-1, 2:], padded[:, :, 1:-1, :-2], padded[:, :, 2:, 1:-1], padded[:, :, :-2, 1:-1])
    return torch.stack([(values != other).float() for other in shifted]).amax(dim=0)


class GlobalGenerator(nn.Module):
    """G1: planes (N, P, H, W) -> image (N, C, H, W), from the features (N, width, H, W) of its `body`."""

    def __init__(self, planes: int, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.body = translation.residual_features(planes, width, blocks)
        self.head = translation.to_image(width, channels)

    def forward(self, planes: Tensor) -> Tensor:
        image: Tensor = self.head(self.body(planes))
        return image


class CoarseToFine(nn.Module):
    """Planes (N, P, H, W) -> image (N, C, H, W): G1 works at half the size, G2 adds the details of the full size."""

    def __init__(self, planes: int, channels: int, width: int = 24, blocks: int = 4) -> None:
        super().__init__()
        half = width // 2
        self.painter = GlobalGenerator(planes, channels, width, blocks)  # G1
        self.entrance = nn.Sequential(*translation.convolved(planes, half, 7), *translation.halved(half, width))  # G2
        refined = (translation.ResidualBlock(width) for _ in range(blocks - 1))
        self.exit = nn.Sequential(*refined, *translation.doubled(width, half), translation.to_image(half, channels))
        self.apply(init_dcgan)

    def coarse(self, planes: Tensor) -> Tensor:
        """Return G1's own image: (N, C, H/2, W/2)."""
        image: Tensor = self.painter(pooled(planes))
        return image

    def forward(self, planes: Tensor) -> Tensor:
        image: Tensor = self.exit(self.entrance(planes) + self.painter.body(pooled(planes)))
        return image
