"""The slant and width of strokes, on strokes with known values."""

import pytest
import torch

from training.metrics import handwriting


def stroke(lean: float, width: int) -> torch.Tensor:
    """Draw a light line in a dark image (1, 1, 28, 28) that moves `lean` columns to the right per row upwards."""
    image = torch.full((1, 1, 28, 28), -1.0)
    for row in range(4, 24):
        first = round(14 + lean * (14 - row) - width / 2)
        image[0, 0, row, first : first + width] = 1
    return image


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.3])
def test_the_slant_is_the_tangent_of_the_line(lean: float) -> None:
    assert handwriting.slant(stroke(lean, width=3)).item() == pytest.approx(lean, abs=0.05)


def test_the_width_is_that_of_the_line() -> None:
    narrow, wide = (handwriting.width(stroke(0, width)).item() for width in (2, 4))
    assert narrow == pytest.approx(2, abs=0.5)
    assert wide == pytest.approx(4, abs=1)


def test_an_empty_image_has_no_slant_and_no_width() -> None:
    empty = torch.full((1, 1, 28, 28), -1.0)
    assert handwriting.slant(empty).item() == handwriting.width(empty).item() == 0
