"""Models of images of any size, from Python."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags
from PIL import Image as PILImage
from small_models import ENLARGER, PHOTO, save_model

import gan_serve
from gan_serve import Failure, UsageError
from gan_serve.generator import Generator
from gan_serve.images.encoding import read_document, read_generated
from gan_serve.provenance import parse_provenance

SIZES = [(1, 1), (1, 7), (5, 3), (33, 64), (97, 150), (31, 200)]  # height and width


def noise(height: int, width: int) -> np.ndarray:
    return np.random.RandomState(height).randint(256, size=(height, width, 3), dtype=np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([255 * rows / height, 255 * columns / width, 0 * rows + 99], axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def enlarger(models: Path) -> Generator:
    return gan_serve.load("enlarger", models=models)


@pytest.fixture(scope="module")
def filler(models: Path) -> Generator:
    return gan_serve.load("filler", models=models)


def pixels(generator: Generator, **inputs: object) -> np.ndarray:
    (image,) = generator.generate(**inputs).images()
    return np.asarray(image)


def test_images_of_different_sizes_in_one_call_equal_each_alone(enlarger: Generator) -> None:
    result = enlarger.generate(image=[noise(*size) for size in SIZES])
    assert [picture.size for picture in result.images()] == [(2 * width, 2 * height) for height, width in SIZES]
    for place, size in enumerate(SIZES):
        np.testing.assert_array_equal(np.asarray(result.images()[place]), pixels(enlarger, image=noise(*size)))


def test_a_tiled_image_equals_the_image_in_one_tile(enlarger: Generator, tmp_path: Path) -> None:
    save_model(tmp_path, replace(ENLARGER, name="whole", inputs=(replace(PHOTO, tile=None, overlap=0),)))
    whole = gan_serve.load("whole", models=tmp_path)
    for size in SIZES:
        apart = pixels(whole, image=noise(*size)).astype(int) - pixels(enlarger, image=noise(*size))
        assert np.abs(apart).max() <= 1


def test_every_file_format_is_accepted(enlarger: Generator, tmp_path: Path) -> None:
    colours = PILImage.fromarray(smooth(20, 33))
    exif = PILImage.Exif()
    exif[ExifTags.Base.Orientation] = 6
    colours.save(tmp_path / "a.png")
    colours.convert("P").save(tmp_path / "palette.png")
    colours.convert("RGBA").save(tmp_path / "alpha.webp", lossless=True)
    colours.convert("L").save(tmp_path / "grey.jpg")
    PILImage.fromarray(smooth(20, 33)[:, :, 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    colours.rotate(90, expand=True).save(tmp_path / "held.jpg", exif=exif)
    for picture in enlarger.generate(image=tmp_path).images():
        assert (picture.size, picture.mode) == ((66, 40), "RGB")
    np.testing.assert_array_equal(
        pixels(enlarger, image=tmp_path / "alpha.webp"), pixels(enlarger, image=tmp_path / "a.png")
    )


def test_a_path_an_image_and_arrays_are_the_same(enlarger: Generator, tmp_path: Path) -> None:
    given = noise(9, 14)
    PILImage.fromarray(given).save(tmp_path / "x.png")
    floats = given.transpose(2, 0, 1) / np.float32(127.5) - 1
    for value in (tmp_path / "x.png", str(tmp_path / "x.png"), PILImage.fromarray(given), floats.astype(np.float32)):
        np.testing.assert_array_equal(pixels(enlarger, image=value), pixels(enlarger, image=given))


def test_a_grid_has_room_for_the_largest(enlarger: Generator) -> None:
    grid = enlarger.generate(image=[noise(3, 9), noise(5, 2)]).grid(columns=1, scale=2)
    assert grid.size == (36, 40)


def test_an_array_of_images_of_any_size_is_refused(enlarger: Generator, tmp_path: Path) -> None:
    result = enlarger.generate(image=[noise(3, 9), noise(5, 2)])
    for ask in (lambda: result.array, lambda: result.save(tmp_path / "x.npy")):
        with pytest.raises(UsageError, match="enlarger makes images of any size, which no array can hold"):
            ask()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("model", "width", "made"), [("enlarger", 9_000, "18000x4"), ("painter", 16_384, "16384x2")])
def test_too_large_an_output_is_rejected_before_it_is_computed(
    models: Path, tmp_path: Path, model: str, width: int, made: str
) -> None:
    PILImage.new("RGB", (width, 2)).save(tmp_path / "long.png")
    with pytest.raises(
        Failure, match=rf"long\.png: its output would have {made} pixels, and the limit is 16383 a side"
    ):
        gan_serve.load(model, models=models).generate(image=tmp_path / "long.png")


def test_files_contain_their_provenance(enlarger: Generator, tmp_path: Path) -> None:
    (path,) = enlarger.generate(image=noise(7, 8)).save(tmp_path / "x.png")
    document, made, _ = read_generated(path)
    assert made.shape == (14, 16, 3)
    assert parse_provenance(document, "x.png").model == "enlarger"
    assert read_document(path) == document


@pytest.mark.parametrize(("height", "width"), [(8, 8), (10, 40), (41, 11), (300, 299), (1, 30)])
def test_a_network_of_a_fixed_size_returns_the_images_size(models: Path, height: int, width: int) -> None:
    given = smooth(height, width)
    result = gan_serve.load("painter", models=models).generate(image=given)
    painted = np.asarray(result.images()[0])
    assert painted.shape == given.shape
    assert result.array.shape == (1, 3, 8, 8), "what the network made"
    if (height, width) == (8, 8):
        np.testing.assert_array_equal(painted, 255 - given)
    else:
        assert np.abs(painted + given.astype(int) - 255).mean() < 12, "all of it, where it was"


def hole_at_the_left(height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[:, : width // 2] = True
    return hole


@pytest.mark.parametrize("model", ["filler", "mender"])
@pytest.mark.parametrize("form", ["array", "white", "transparent", "small", "floats"])
def test_only_the_hole_is_filled_in(models: Path, tmp_path: Path, model: str, form: str) -> None:
    given, hole = smooth(20, 32), hole_at_the_left(20, 32)
    forms = {
        "array": hole,
        "white": PILImage.fromarray(hole),
        "transparent": PILImage.fromarray(np.dstack([given, np.where(hole, 0, 255).astype(np.uint8)])),
        "small": PILImage.fromarray(hole[:5, ::4]),
        "floats": hole[None].astype(np.float32),
    }
    if model == "mender" and form == "floats":
        hole = forms["floats"] = np.zeros((1, 8, 8))  # in the network's own size
        hole[:, :, :4] = 1
        hole = hole_at_the_left(20, 32)
    filled = pixels(gan_serve.load(model, models=models), image=given, hole=forms[form])
    np.testing.assert_array_equal(filled[~hole], given[~hole])
    assert filled[:, :14].min() > 240


def test_the_kth_mask_belongs_to_the_kth_image_or_one_to_all(filler: Generator) -> None:
    images, holes = [smooth(6, 8), smooth(4, 4)], [hole_at_the_left(6, 8), ~hole_at_the_left(4, 4)]
    result = filler.generate(image=images, hole=holes)
    assert [len(result), *(picture.size for picture in result.images())] == [2, (8, 6), (4, 4)]
    for picture, given, hole in zip(result.images(), images, holes, strict=True):
        np.testing.assert_array_equal(np.asarray(picture) == 255, np.dstack([hole] * 3) | (given == 255))
    assert len(filler.generate(image=images, hole=holes[0])) == 2
    with pytest.raises(
        UsageError, match="there are 2 of image and 3 of hole; give the same number of each, or one for all"
    ):
        filler.generate(image=images, hole=[*holes, holes[0]])
    with pytest.raises(UsageError, match="filler needs hole: an image, white or transparent where to fill in"):
        filler.generate(image=images)
