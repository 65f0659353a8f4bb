import io
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, PngImagePlugin
from PIL import Image as PILImage
from small_models import COLOUR, GREY

from gan_serve import Failure, UsageError
from gan_serve.images.preprocess import fit, read_array, read_image, to_model, upright
from gan_serve.tensors import Image

NOISE = np.random.RandomState(0).randint(256, size=(8, 8), dtype=np.uint8)


def write(image: PILImage.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def palette(index: int) -> PILImage.Image:
    image = PILImage.new("P", (9, 9), index)
    image.putpalette([0, 0, 0, 60, 60, 60, 200, 200, 200])
    return image


@pytest.mark.parametrize(
    ("name", "image", "level"),
    [
        ("grey.png", PILImage.new("L", (20, 20), 60), 60),
        ("bits.png", PILImage.new("1", (20, 20), 1), 255),
        ("deep.png", PILImage.fromarray(np.full((20, 20), 40_000, np.uint16)), 40_000 >> 8),
        ("deep.pgm", PILImage.fromarray(np.full((20, 20), 40_000, np.uint16)), 40_000 >> 8),
        ("deep.tiff", PILImage.fromarray(np.full((20, 20), 40_000, np.uint16)), 40_000 >> 8),
        ("palette.png", palette(2), 200),
        ("palette.gif", palette(1), 60),
        ("transparent.png", PILImage.new("RGBA", (20, 20), (0, 0, 0, 0)), 255),
        ("half.webp", PILImage.new("RGBA", (20, 20), (0, 0, 0, 128)), 127),
        ("half.png", PILImage.new("LA", (20, 20), (0, 128)), 127),
        ("green.bmp", PILImage.new("RGB", (20, 20), (0, 255, 0)), 150),
        ("print.jpg", PILImage.new("CMYK", (20, 20), (0, 0, 0, 195)), 60),
    ],
)
def test_every_kind_of_image_has_the_brightness_that_a_viewer_shows(
    tmp_path: Path, name: str, image: PILImage.Image, level: int
) -> None:
    path = write(image, tmp_path / name)
    pixels = fit(read_image(path, name), 8, 8, channels=1)
    assert pixels.shape == (8, 8, 1)
    assert np.abs(pixels.astype(int) - level).max() <= 1


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (-2, 3)])
def test_an_image_of_the_models_size_is_not_resampled(tmp_path: Path, low: float, high: float) -> None:
    tensor = replace(GREY, low=low, high=high)
    path = write(PILImage.fromarray(NOISE), tmp_path / "noise.png")
    array = to_model(read_image(path, "noise.png"), tensor)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(tensor.to_pixels(array[None])[0, :, :, 0], NOISE)
    np.testing.assert_allclose(array[0], NOISE / 255 * (high - low) + low, atol=1e-6)


def test_the_middle_is_cropped_to_the_models_aspect() -> None:
    stripes = np.repeat(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8), 20, axis=0)
    wide, tall = np.repeat(stripes[None], 20, axis=0), np.repeat(stripes[:, None], 20, axis=1)
    for image in (wide, tall):
        pixels = fit(PILImage.fromarray(image).convert("RGBA"), 10, 10, channels=3)
        assert pixels[:, :, 1].min() > 200
        assert pixels[:, :, [0, 2]].max() < 55
    assert fit(PILImage.fromarray(wide).convert("RGBA"), COLOUR.width, COLOUR.height, channels=3).shape == (8, 6, 3)
    assert fit(PILImage.new("RGBA", (1, 500), "red"), 9, 3, channels=3).shape == (3, 9, 3)


def test_padding_keeps_all_of_an_image_and_repeats_its_edges() -> None:
    halves = np.zeros((10, 40, 3), np.uint8)
    halves[:, :20] = 255
    for turns in (0, 1):
        pixels = fit(PILImage.fromarray(np.rot90(halves, turns)).convert("RGBA"), 8, 8, channels=3, how="pad")
        upright = np.rot90(pixels, -turns)
        assert upright[:, :3].min() > 230
        assert upright[:, 5:].max() < 25
        np.testing.assert_array_equal(upright[0], upright[3])
    assert fit(PILImage.new("RGBA", (1, 500), "red"), 9, 3, channels=3, how="pad").shape == (3, 9, 3)


def test_fine_detail_is_averaged_when_an_image_shrinks() -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = fit(PILImage.fromarray(board).convert("RGBA"), 8, 8, channels=1)
    assert np.abs(pixels.astype(int) - 127).max() < 20


def test_a_photo_is_turned_upright_by_its_exif(tmp_path: Path) -> None:
    half = np.zeros((16, 16), np.uint8)
    half[:, 8:] = 255  # bright on the right, as the sensor saw it
    exif = PILImage.Exif()
    exif[ExifTags.Base.Orientation] = 6  # turn it clockwise to look at it
    path = write(PILImage.fromarray(half), tmp_path / "held.jpg", exif=exif, quality=100)
    pixels = fit(read_image(path, "held.jpg"), 16, 16, channels=1)[:, :, 0]
    assert pixels[:7].max() < 20
    assert pixels[9:].min() > 235


def tag(number: int, kind: int, value: int) -> bytes:
    """An entry of a TIFF's directory, as EXIF is one."""
    return struct.pack("<HHII", number, kind, 1, value)


def test_a_photo_is_turned_upright_despite_other_exif(tmp_path: Path) -> None:
    orientation = tag(ExifTags.Base.Orientation, 3, 6)  # a short
    description = tag(ExifTags.Base.ImageDescription, 5, 8 + 2 + 2 * 12 + 4)  # a fraction, where a text belongs
    directory = struct.pack("<H", 2) + description + orientation + struct.pack("<III", 0, 1, 2)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory
    path = write(PILImage.new("L", (4, 2)), tmp_path / "typed.jpg", exif=exif)
    assert read_image(path, "typed.jpg").size == (2, 4)


def test_an_image_with_unreadable_exif_is_not_turned(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("exif", "junk")
    path = write(PILImage.fromarray(NOISE), tmp_path / "junk.png", pnginfo=text)
    np.testing.assert_array_equal(np.asarray(read_image(path, "junk.png").convert("L")), NOISE)


def test_the_callers_image_is_not_modified() -> None:
    theirs = PILImage.new("RGB", (4, 2))
    theirs.getexif()[ExifTags.Base.Orientation] = 6
    assert upright(theirs, "theirs").size == (2, 4)
    assert theirs.size == (4, 2)
    assert theirs.getexif()[ExifTags.Base.Orientation] == 6


def png_that_says(width: int, height: int) -> bytes:
    """A small file whose header announces an image of that size."""
    buffer = io.BytesIO()
    PILImage.new("1", (width, height)).save(buffer, "PNG", pnginfo=PngImagePlugin.PngInfo())
    return buffer.getvalue()


def tiff_of(level: np.generic) -> bytes:
    """A grey image whose pixels have the type and the value of `level`."""
    buffer = io.BytesIO()
    PILImage.fromarray(np.full((9, 9), level)).save(buffer, "TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image of type PNG, JPEG"),
        (b"hello", "not an image of type PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image of type PNG, JPEG"),
        (png_that_says(9_000, 8_000), "9000x8000 pixels; more than the 64 megapixels"),
        (png_that_says(20_000, 9_000), "more than the 64 megapixels"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image.png: "),
        (
            tiff_of(np.float32(0.5)),
            "image.png: its pixels have 32 bits, whose range is unknown; convert it to 8 or 16 bits",
        ),
        (tiff_of(np.int32(200)), "image.png: its pixels have 32 bits, whose range is unknown"),
    ],
)
def test_an_unreadable_or_too_large_image_is_rejected(content: bytes, message: str) -> None:
    with pytest.raises(Failure, match=message) as error:
        read_image(io.BytesIO(content), "image.png")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_image_is_damaged(format: str) -> None:
    buffer = io.BytesIO()
    noise = np.random.RandomState(0).randint(256, size=(64, 64, 3), dtype=np.uint8)
    PILImage.fromarray(noise).save(buffer, format)
    with pytest.raises(Failure, match=r"image: (damaged|not an image)"):
        read_image(io.BytesIO(buffer.getvalue()[: len(buffer.getvalue()) // 2]), "image")


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3), (8, 8, 4), (30, 20, 3)])
def test_pixels_in_an_array_are_an_image(shape: tuple[int, ...]) -> None:
    array = to_model(read_array(np.full(shape, 255, np.uint8), GREY), GREY)
    assert array.shape == GREY.shape
    assert (array == 1).all()


def test_numbers_in_the_models_range_stay_as_they_are() -> None:
    numbers = np.random.RandomState(0).uniform(-1, 1, GREY.shape)
    np.testing.assert_array_equal(to_model(read_array(numbers, GREY), GREY), numbers.astype(np.float32))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 8), np.int64), r"image is an array of int64 \(8, 8\); give uint8"),
        (np.zeros((8, 8)), r"float64 \(8, 8\).*or floats \(1, 8, 8\) from -1 to 1"),
        (np.zeros((1, 8, 9), np.float32), r"float32 \(1, 8, 9\)"),
        (np.zeros((1, 8, 8), np.uint8), r"uint8 \(1, 8, 8\)"),
        (np.zeros((0, 8), np.uint8), r"uint8 \(0, 8\)"),
        (np.array(3, np.uint8), r"uint8 \(\)"),
        (np.full((1, 8, 8), 255.0), "values from 255 to 255; the model takes -1 to 1"),
        (np.full((1, 8, 8), np.nan), "the model takes -1 to 1"),
        (np.full((1, 8, 8), np.inf), "the model takes -1 to 1"),
        (np.array([["a"]]), "image is an array of <U1"),
    ],
)
def test_other_arrays_are_rejected_with_the_valid_shapes(array: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read_array(array, Image(name="image", channels=1, height=8, width=8))
    assert "\n" not in str(error.value)
