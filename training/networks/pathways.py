"""TP-GAN's generator, one path for the whole image and one for each of its parts, and its recogniser."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.layers import InstanceNorm, dcgan_features, dcgan_head, init_dcgan
from training.networks.translation import UNet


class Box(NamedTuple):
    """A part of an image, in sixty-fourths of its side."""

    top: int
    left: int
    height: int
    width: int

    def scaled(self, size: int) -> "Box":
        """Return the part in pixels of an image with sides of `size`, a multiple of 64."""
        return Box(*(size // 64 * length for length in self))


class Pathways(nn.Module):
    """Image (N, C, S, S) -> image of the same shape in [-1, 1] (Huang et al. 2017).

    A U-Net sees the whole image, and one for each box sees that part of it. Each returns `part_width` features. Those
    of the parts are put where their boxes are, and fused by their maximum.
    """

    def __init__(self, channels: int, size: int, width: int, boxes: Sequence[Box], part_width: int) -> None:
        super().__init__()
        self.size, self.boxes = size, [box.scaled(size) for box in boxes]
        self.whole = UNet(channels, part_width, size, width, dropout=0)
        self.parts = nn.ModuleList(
            UNet(channels, part_width, min(box.height, box.width), part_width, dropout=0) for box in self.boxes
        )
        self.mix = nn.Sequential(
            nn.Conv2d(part_width * (2 if boxes else 1), part_width, 3, padding=1, bias=False),
            InstanceNorm(part_width), nn.ReLU(inplace=True),
            nn.Conv2d(part_width, channels, 3, padding=1), nn.Tanh(),
        ).apply(init_dcgan)  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        features = [self.whole(image), *self._fused(image)]
        mixed: Tensor = self.mix(torch.cat(features, dim=1))
        return mixed

    def _fused(self, image: Tensor) -> list[Tensor]:
        """Return the fused features of the parts (N, part_width, S, S), if there are any."""
        drawn = [self._placed(part, box, image) for part, box in zip(self.parts, self.boxes, strict=True)]
        return [torch.stack(drawn).amax(dim=0)] if drawn else []

    def _placed(self, part: nn.Module, box: Box, image: Tensor) -> Tensor:
        """Return a part's features in their place, on zeros."""
        bottom, right = box.top + box.height, box.left + box.width
        features = part(image[:, :, box.top : bottom, box.left : right])
        return F.pad(features, (box.left, self.size - right, box.top, self.size - bottom))


class Recogniser(nn.Module):
    """A classifier whose features identify what is shown: images (N, C, S, S) -> features (N, 64) -> logits (N, K).

    Its normalisation does not depend on the batch, so that it sees an image alike in every phase of the training.
    """

    def __init__(self, channels: int, size: int, classes: int, width: int) -> None:
        super().__init__()
        trunk = dcgan_features(channels, size, width, norm=_whole_norm)
        self.features = nn.Sequential(trunk, dcgan_head(size, width, 64), nn.Tanh()).apply(_init_classifier)
        self.head = nn.Linear(64, classes)


def _whole_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(1, channels)


def _init_classifier(module: nn.Module) -> None:
    """A classifier with DCGAN's small weights would be slow to start."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=0.2)
