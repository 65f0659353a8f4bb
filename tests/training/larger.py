"""Images as large as some variants need."""

import dataclasses

from training.data.dataset import Dataset


def enlarged(digits: Dataset, views: tuple[str, ...]) -> Dataset:
    """The digits in colour, eight times as wide and high; each view is their negative."""
    images = digits.images.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3).expand(-1, 3, -1, -1)
    return dataclasses.replace(digits, images=images, views=dict.fromkeys(views, 255 - images))
