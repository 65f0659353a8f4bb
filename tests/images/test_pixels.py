"""Arrays and pixels, grids, and limits on sizes."""

import numpy as np
import pytest

from gan_serve.errors import UsageError
from gan_serve.images.pixels import (
    MAX_PIXELS,
    check_length,
    check_size,
    checked_scale,
    from_pixels,
    square_columns,
    tile,
    to_image,
)
from gan_serve.tensors import Image

SIGNED = Image(name="image", channels=1, height=1, width=6)
POSITIVE = Image(name="image", channels=3, height=16, width=16, low=0)
LONGEST = 16_383


def test_the_range_of_a_model_becomes_256_levels_rounded_to_the_nearest_and_cut_at_the_ends() -> None:
    step = 2 / 255
    array = np.array([[[[-1.5, -1, -1 + 0.4 * step, -1 + 0.6 * step, 1, 3]]]], np.float32)
    before = array.copy()
    pixels = SIGNED.to_pixels(array)
    assert (pixels.shape, pixels.dtype) == ((1, 1, 6, 1), np.uint8)
    assert pixels.ravel().tolist() == [0, 0, 0, 1, 255, 255]
    np.testing.assert_array_equal(array, before, "the caller's array is unchanged")


@pytest.mark.parametrize("tensor", [POSITIVE, Image(name="image", channels=3, height=16, width=16)])
def test_pixels_come_back_from_the_range_of_a_model(tensor: Image) -> None:
    pixels = np.arange(768, dtype=np.uint16).astype(np.uint8).reshape(16, 16, 3)
    array = from_pixels(pixels, tensor)
    assert (array.shape, array.dtype, array.flags.c_contiguous) == ((3, 16, 16), np.float32, True)
    assert (array.min(), array.max()) == (tensor.low, tensor.high)
    np.testing.assert_array_equal(tensor.to_pixels(array[None])[0], pixels)


def test_a_pixel_becomes_a_square() -> None:
    pixels = np.array([[[0], [50]], [[100], [255]]], np.uint8)
    assert np.asarray(to_image(pixels, 1)).tolist() == [[0, 50], [100, 255]]
    assert np.asarray(to_image(pixels, 2)).tolist() == [[0, 0, 50, 50]] * 2 + [[100, 100, 255, 255]] * 2
    assert to_image(pixels, 1).mode == "L"
    assert to_image(pixels.repeat(3, axis=2), 3).mode == "RGB"
    assert to_image(pixels, 3).size == (6, 6)


def test_a_grid_is_filled_row_by_row_and_ends_with_black() -> None:
    images = [np.full((1, 2, 1), level, np.uint8) for level in (1, 2, 3)]
    assert tile(images, 2)[:, :, 0].tolist() == [[1, 1, 2, 2], [3, 3, 0, 0]]
    assert tile(images, 3)[:, :, 0].tolist() == [[1, 1, 2, 2, 3, 3]]
    assert tile(images, 1)[:, :, 0].tolist() == [[1, 1], [2, 2], [3, 3]]
    large = np.full((2, 3, 1), 9, np.uint8)
    assert tile([images[0], large], 2)[:, :, 0].tolist() == [[1, 1, 0, 9, 9, 9], [0, 0, 0, 9, 9, 9]]


def test_a_grid_is_nearly_square_and_avoids_empty_cells() -> None:
    columns = {1: 1, 2: 2, 3: 3, 4: 2, 5: 5, 6: 3, 7: 3, 8: 4, 9: 3, 10: 5, 12: 4, 13: 4, 16: 4, 20: 5, 64: 8, 100: 10}
    assert {count: square_columns(count) for count in columns} == columns
    assert square_columns(2**62) == 2**31
    assert square_columns(LONGEST * (LONGEST - 2)) == LONGEST, "as wide as can be written"


@pytest.mark.parametrize("scale", [0, -1, LONGEST + 1, 1.5, True])
def test_a_scale_is_a_number_of_pixels(scale: object) -> None:
    assert checked_scale(LONGEST) == LONGEST
    with pytest.raises(UsageError, match=f"^scale .* is not an integer from 1 to {LONGEST}$"):
        checked_scale(scale)


def test_an_image_may_have_the_longest_side_that_can_be_written_and_no_pixel_more() -> None:
    check_size(LONGEST, 1, 1, 1, 1)
    check_size(1, LONGEST, 1, 1, 1)
    check_size(1, 1, LONGEST, 1, 1)
    check_size(1, 3, 10, 2, LONGEST // 6)
    for height, width, count, columns, scale, pixels in (
        (LONGEST + 1, 1, 1, 1, 1, "1x16384"),
        (1, LONGEST + 1, 1, 1, 1, "16384x1"),
        (1, 1, LONGEST + 1, 1, 1, "1x16384"),
        (10, 20, 3, 2, 500, "20000x10000"),
    ):
        with pytest.raises(
            UsageError, match=rf"^an image of {pixels} pixels is too large \(at most {LONGEST} a side\)"
        ):
            check_size(height, width, count, columns, scale)
    with pytest.raises(UsageError, match="an image of 2x20000 pixels"):
        to_image(np.zeros((10_000, 1, 1), np.uint8), 2)


def test_an_animation_may_have_as_many_pixels_as_are_read_again() -> None:
    check_length(1024, 1024, 64, 1)
    check_length(512, 256, 128, 2)
    assert MAX_PIXELS == 64 * 1024 * 1024
    for count, scale, pixels in ((65, 1, "65 images of 1024x1024"), (17, 2, "17 images of 2048x2048")):
        with pytest.raises(UsageError, match=rf"^an animation of {pixels} pixels is too long \(at most 64 megapixels"):
            check_length(1024, 1024, count, scale)
    with pytest.raises(UsageError, match="images of 4x2 pixels"):
        check_length(1, 2, 2**30, 2)
