"""Results: arrays as images, grids and files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import CLASSIFIER, DIGIT, ENLARGER

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.images.limits import MAX_SIDE
from gan_serve.outputs.panels import array_shape, find_panel
from gan_serve.request import Request
from gan_serve.result import Result, grid_columns


@pytest.fixture(scope="module")
def result(models: Path) -> Result:
    return gan_serve.load("digits", models=models).generate(label=[3, 7], count=3, seed=1)


def test_images_and_grid_have_the_pixels_of_the_array(result: Result) -> None:
    pixels = np.rint((result.array[:, 0] + 1) * 127.5).astype(np.uint8)
    for image, expected in zip(result.images(), pixels, strict=True):
        np.testing.assert_array_equal(np.asarray(image), expected)
    rows = [np.hstack([*pixels[:3]]), np.hstack([*pixels[3:]])]
    np.testing.assert_array_equal(np.asarray(result.grid()), np.vstack(rows))
    np.testing.assert_array_equal(np.asarray(result.images(2)[0]), pixels[0].repeat(2, 0).repeat(2, 1))


@given(count=st.integers(1, 3 * MAX_SIDE))
def test_a_grid_has_no_empty_row_and_is_not_too_wide(count: int) -> None:
    columns = grid_columns(Request(0, 0, count, ({},)))
    assert 1 <= columns <= min(count, MAX_SIDE)
    assert columns * columns >= count


@pytest.mark.parametrize("scale", [0, -1, 1.5, True, "2"])
def test_a_scale_is_a_positive_integer(result: Result, scale: object) -> None:
    with pytest.raises(UsageError, match="scale"):
        result.images(scale)  # type: ignore[arg-type]


def test_each_image_has_a_file_of_its_own_name(result: Result, tmp_path: Path) -> None:
    paths = result.save(tmp_path / "all/")
    assert len({path.name for path in paths}) == len(result) == 6
    assert [path.read_bytes() for path in paths] == [content for _, content in result.encode_each("png")]


def test_only_models_of_one_size_have_arrays() -> None:
    assert array_shape(DIGIT) == (1, 8, 8)
    with pytest.raises(UsageError, match="any size"):
        array_shape(ENLARGER)
    with pytest.raises(UsageError, match="makes no images"):
        find_panel(CLASSIFIER)
