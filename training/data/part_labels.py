"""The colours of part maps: one for each part of a character, in the order of the part numbers."""

import torch
from torch import Tensor

COLOURS = {
    "background": (255, 255, 255),
    "body": (255, 0, 0),
    "legs": (0, 0, 255),
    "feet": (0, 0, 0),
    "torso": (0, 255, 0),
    "hair": (255, 255, 0),
}
PARTS = len(COLOURS)
BACKGROUND = 0


def numbers(painted: Tensor) -> Tensor:
    """Part maps (N, 3, H, W) in [-1, 1] -> the number (N, H, W) of the part whose colour is nearest."""
    colours = torch.tensor(list(COLOURS.values()), device=painted.device) / 127.5 - 1
    distances = [(painted.float() - colour[:, None, None]).square().sum(dim=1) for colour in colours]
    return torch.stack(distances).argmin(dim=0)
