"""Training reads the colours of users' images as serving does."""

from pathlib import Path

import numpy as np
from PIL import Image as PILImage
from profiles import swapped

from training.data.loading import load


def test_training_applies_the_colour_profiles_of_images(tmp_path: Path) -> None:
    (tmp_path / "own" / "one").mkdir(parents=True)
    for number in range(12):
        PILImage.new("RGB", (8, 8), (200, 40, 90)).save(
            tmp_path / "own" / "one" / f"{number}.png", icc_profile=swapped()
        )
    images = load(str(tmp_path / "own"), "train", 8).images
    assert np.abs(images.permute(0, 2, 3, 1).numpy().astype(int) - (40, 200, 90)).max() <= 4
