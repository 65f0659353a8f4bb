"""The colours of CamVid's label maps: one for each class, in the order of the class numbers."""

import torch
from torch import Tensor

COLOURS = {
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
}
CLASSES, UNLABELLED = len(COLOURS), len(COLOURS) - 1


def numbers(painted: Tensor) -> Tensor:
    """Label maps (N, 3, H, W) in [-1, 1] -> the number (N, H, W) of the class whose colour is nearest."""
    distances = [_distance(painted.float(), colour) for colour in COLOURS.values()]
    return torch.stack(distances).argmin(dim=0)


def _distance(painted: Tensor, colour: tuple[int, int, int]) -> Tensor:
    """Return the squared distance (N, H, W) of each pixel to a colour."""
    planes = zip(painted.unbind(dim=1), colour, strict=True)
    return torch.stack([(plane - (value / 127.5 - 1)).square() for plane, value in planes]).sum(dim=0)
