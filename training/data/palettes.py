"""The colours of label maps, which show what each pixel belongs to."""

from dataclasses import dataclass

import torch
from torch import Tensor

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """A colour for each class, in the order of the class numbers."""

    colours: dict[str, Colour]
    unlabelled: int = -100  # the class of pixels that do not count; this number, which PyTorch ignores, is no class

    def __len__(self) -> int:
        return len(self.colours)

    def numbers(self, painted: Tensor) -> Tensor:
        """Label maps (N, 3, H, W) in [-1, 1] -> the number (N, H, W) of the class whose colour is nearest."""
        distances = [_distance(painted.float(), colour) for colour in self.colours.values()]
        return torch.stack(distances).argmin(dim=0)


def _distance(painted: Tensor, colour: Colour) -> Tensor:
    """Return the squared distance (N, H, W) of each pixel to a colour."""
    planes = zip(painted.unbind(dim=1), colour, strict=True)
    return torch.stack([(plane - (value / 127.5 - 1)).square() for plane, value in planes]).sum(dim=0)


CAMVID = Palette(
    {
        "sky": (128, 128, 128),
        "building": (128, 0, 0),
        "pole": (192, 192, 128),
        "road": (128, 64, 128),
        "pavement": (60, 40, 222),
        "tree": (128, 128, 0),
        "sign": (192, 128, 128),
        "fence": (64, 64, 128),
        "car": (64, 0, 128),
        "pedestrian": (64, 64, 0),
        "bicyclist": (0, 128, 192),
        "unlabelled": (0, 0, 0),
    },
    unlabelled=11,
)
PARTS = Palette(  # of characters
    {
        "background": (255, 255, 255),
        "body": (255, 0, 0),
        "legs": (0, 0, 255),
        "feet": (0, 0, 0),
        "torso": (0, 255, 0),
        "hair": (255, 255, 0),
    }
)


def palette_of(data: str) -> Palette:
    """Return the palette of a data set's maps: CamVid's, unless the data set is known to have another."""
    return {"lpc_poses": PARTS}.get(data, CAMVID)
