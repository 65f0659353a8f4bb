"""What docs/models.md says of images that are not as a model needs them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from small_models import RETOUCHER, save_model

import gan_serve


def save(name: str, size: tuple[int, int], colour: Any) -> str:
    PILImage.new("RGB", size, colour).save(name)
    return name


def test_a_colour_image_becomes_grey_for_a_model_that_takes_grey(run: Run) -> None:
    grey = np.asarray(PILImage.new("RGB", (1, 1), (200, 100, 50)).convert("L")).item()
    coloured = run("generate", "--model", "classifier", "--image", save("a.png", (8, 8), (200, 100, 50)))
    plain = run("generate", "--model", "classifier", "--image", save("b.png", (8, 8), (grey, grey, grey)))
    assert (coloured.code, coloured.out.replace("a.png", "b.png")) == (0, plain.out)


def test_two_images_of_different_size_are_each_fitted_to_the_models_size(tmp_path: Path) -> None:
    save_model(tmp_path, RETOUCHER)
    retoucher = gan_serve.load("retoucher", models=tmp_path)
    wide, square = PILImage.new("RGB", (32, 8), "white"), PILImage.new("RGB", (20, 20), "black")
    (difference,) = retoucher.generate(image=wide, painting=square).images()
    assert difference.size == (32, 8)
    assert difference.getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["--hole", "mask.png"], "error: filler needs image: an image of any size (made RGB), a folder of them, or"),
        (
            ["--image", "photo.png"],
            "error: filler needs hole: an image, white or transparent where to fill in, one for",
        ),
    ],
)
def test_an_image_without_its_mask_or_a_mask_without_its_image_is_refused(
    run: Run, given: list[str], complaint: str
) -> None:
    for name in ("mask.png", "photo.png"):
        save(name, (8, 8), "white")
    outcome = run("generate", "--model", "filler", *given)
    assert (outcome.code, outcome.error.startswith(complaint), outcome.error.count("\n")) == (2, True, 1)


def test_a_mask_of_another_size_is_stretched_to_its_image(run: Run) -> None:
    save("photo.png", (16, 16), (100, 100, 100))
    mask = PILImage.new("L", (4, 4))
    mask.putpixel((0, 0), 255)
    mask.save("mask.png")
    path = run("translate", "filler", "photo.png", "--hole", "mask.png").out.strip()
    white = (np.asarray(PILImage.open(path)) == 255).all(axis=2)
    assert np.argwhere(white).max(axis=0).tolist() == [3, 3]
    assert white.sum() == 16
