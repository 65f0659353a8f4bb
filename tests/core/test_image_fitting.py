"""Images and masks fitted to a network's input, and outputs fitted to the image."""

import numpy as np
import pytest
from PIL import Image as PILImage

from gan_serve.errors import UsageError
from gan_serve.image_arguments import parse_images
from gan_serve.image_fitting import FittedInputs, fit_inputs
from gan_serve.tensors import Image, Mask

GREY = Image(name="image", channels=1, height=4, width=4, low=0)
HOLE = Mask(name="hole", height=4, width=4)
WIDE = np.arange(32, dtype=np.uint8).reshape(4, 8) * 8  # twice as wide as the network's input
PilImage = PILImage.Image


def scene(image: PilImage, mask: PilImage | None = None, tensor: Image = GREY) -> FittedInputs:
    given = {tensor: image} | ({HOLE: mask} if mask else {})
    return fit_inputs([*given], {each.name: parse_images(each, value)[0] for each, value in given.items()})


def padded() -> Image:
    return Image(name="image", channels=1, height=4, width=4, low=0, fit="pad")


def hole(mask: PilImage) -> list[list[int]]:
    """What is to be filled in of an image of 4x4."""
    made = scene(PILImage.new("L", (4, 4)), mask)
    np.testing.assert_array_equal(made.arrays["hole"][0, 0], made.holes["hole"])
    return made.holes["hole"].astype(int).tolist()


def test_an_image_is_cropped_to_its_middle_or_padded_with_its_edge() -> None:
    seen = scene(PILImage.fromarray(WIDE)).arrays["image"][0, 0] * 255
    np.testing.assert_allclose(seen, WIDE[:, 2:6], atol=1e-3)
    whole = scene(PILImage.fromarray(WIDE), tensor=padded()).arrays["image"][0, 0] * 255
    shrunk = np.asarray(PILImage.fromarray(WIDE).resize((4, 2), PILImage.Resampling.LANCZOS))
    np.testing.assert_allclose(whole, shrunk[[0, 0, 1, 1]], atol=1e-3)


def test_an_output_is_resized_to_the_visible_part_without_the_padding() -> None:
    answer = np.array([[[9] * 4, [50, 100, 150, 200], [60, 110, 160, 210], [9] * 4]], np.float32) / 255
    whole = PILImage.fromarray((answer[0] * 255).round().astype(np.uint8))
    for scale in (1, 2):
        restored = scene(PILImage.fromarray(WIDE), tensor=padded()).first.restored(
            answer, Image(name="made", channels=1, height=4, width=4, low=0, like="image", scale=scale)
        )
        expected = whole.resize((8 * scale, 4 * scale), PILImage.Resampling.LANCZOS, box=(0, 1, 4, 3))
        np.testing.assert_array_equal(restored[:, :, 0], expected)


def test_a_mask_is_cropped_like_its_image() -> None:
    mask = np.zeros((4, 8), np.uint8)
    mask[1, 2] = mask[2, 5] = mask[0, 0] = 255  # the last one is not seen
    found = scene(PILImage.fromarray(WIDE), PILImage.fromarray(mask)).holes["hole"]
    assert np.argwhere(found).tolist() == [[1, 0], [2, 3]]
    large = PILImage.fromarray(mask).resize((16, 8), PILImage.Resampling.NEAREST)
    np.testing.assert_array_equal(scene(PILImage.fromarray(WIDE), large).holes["hole"], found)


@pytest.mark.parametrize(
    ("mode", "kept", "filled"),
    [
        ("L", 127, 128),
        ("RGB", (127, 127, 127), (128, 128, 128)),
        ("RGBA", (255, 255, 255, 128), (0, 0, 0, 127)),
        ("RGBA", (255, 255, 255, 255), (255, 255, 255, 0)),
        ("RGBA", (0, 0, 0, 255), (255, 255, 255, 255)),
    ],
)
def test_the_transparent_or_the_bright_part_of_a_mask_is_the_hole(
    mode: str, kept: int | tuple[int, ...], filled: int | tuple[int, ...]
) -> None:
    mask = PILImage.new(mode, (4, 4), kept)
    mask.putpixel((3, 1), filled)
    assert hole(mask) == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_an_output_keeps_the_image_around_the_hole() -> None:
    mask = PILImage.new("L", (8, 4))
    mask.putpixel((4, 1), 255)
    made, image = scene(PILImage.fromarray(WIDE), mask), WIDE[:, 2:6]
    white = np.full((4, 4, 1), 255, np.uint8)
    filled = made.finished(white, GREY)[:, :, 0]
    assert filled[1, 2] == 255
    assert (filled == image).sum() == 15
    larger = np.full((8, 8, 1), 255, np.uint8)
    np.testing.assert_array_equal(made.finished(larger, GREY), larger)
    np.testing.assert_array_equal(scene(PILImage.fromarray(WIDE)).finished(white, GREY), white)


def test_images_of_any_size_are_resized_to_the_first() -> None:
    one, other = (Image(name=name, channels=1, height=None, width=None, low=0) for name in ("one", "other"))

    def seen(second: PilImage | np.ndarray) -> np.ndarray:
        given = {one: PILImage.fromarray(WIDE), other: second}
        sources = {tensor.name: parse_images(tensor, value)[0] for tensor, value in given.items()}
        return fit_inputs([one, other], sources).arrays["other"][0, 0]

    larger = PILImage.fromarray(WIDE).resize((30, 20))
    shrunk = np.asarray(larger.resize((8, 4), PILImage.Resampling.LANCZOS))
    np.testing.assert_allclose(seen(larger) * 255, shrunk, atol=1e-3)
    array = np.linspace(0, 1, 32, dtype=np.float32).reshape(1, 4, 8)
    np.testing.assert_array_equal(seen(array), array[0])
    with pytest.raises(UsageError, match=r"^other is an array of \(1, 8, 4\); make it as large as the first image$"):
        seen(array.reshape(1, 8, 4))
