"""Images as large as some variants need."""

import dataclasses

import torch

from training.data.dataset import Dataset, Traits


def enlarged(digits: Dataset, views: tuple[str, ...]) -> Dataset:
    """The digits in colour, eight times as wide and high; each view is their negative; ten have the same trait."""
    images = digits.images.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3).expand(-1, 3, -1, -1)
    tens = torch.arange(len(images))[:, None] // 10
    traits = Traits(tens, {"ten": tuple(map(str, range(int(tens.max()) + 1)))})
    return dataclasses.replace(digits, images=images, views=dict.fromkeys(views, 255 - images), traits=traits)
