"""Transparent images as inputs of image-to-image models."""

from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from small_models import SKETCHER, save_model

import gan_serve
from gan_serve.images.encoding import decode_pixels, encode_image
from gan_serve.images.transparency import on_white, with_opacity

HEIGHT, WIDTH = 12, 20


def half_clear() -> np.ndarray:
    """Noise that is clear on the left, half clear in the middle, and opaque on the right."""
    pixels = np.random.RandomState(0).randint(256, size=(HEIGHT, WIDTH, 4), dtype=np.uint8)
    pixels[:, :, 3] = np.repeat(np.array([0, 128, 255], np.uint8), [8, 4, 8])
    return pixels


def flat(pixels: np.ndarray) -> np.ndarray:
    paper = PILImage.new("RGBA", pixels.shape[1::-1], "white")
    return np.asarray(PILImage.alpha_composite(paper, PILImage.fromarray(pixels)).convert("RGB"))


@pytest.mark.parametrize(("model", "scale", "apart"), [("enlarger", 2, 0), ("painter", 1, 6)])
def test_transparency_is_kept_and_colours_are_as_on_white(models: Path, model: str, scale: int, apart: int) -> None:
    generator = gan_serve.load(model, models=models)
    (made,) = generator.generate(image=half_clear()).images()
    (opaque,) = generator.generate(image=flat(half_clear())).images()
    assert (made.mode, made.size) == ("RGBA", (WIDTH * scale, HEIGHT * scale))
    opacity = np.asarray(made)[:, :, 3]
    assert (opacity[:, : 6 * scale].max(), opacity[:, 14 * scale :].min()) == (0, 255)
    sharp = opacity == 255
    np.testing.assert_allclose(np.asarray(made)[sharp][:, :3], np.asarray(opaque)[sharp], atol=apart)


def test_colours_have_no_white_edge() -> None:
    made = np.full((4, 4, 3), 255, np.uint8)
    made[:, 2:] = 255 - (255 - np.array((200, 40, 90))) // 2
    edge = with_opacity(made, np.repeat(np.array([[0, 0, 128, 128]], np.uint8), 4, axis=0))
    assert np.abs(edge[:, 2:, :3].astype(int) - (200, 40, 90)).max() <= 2
    np.testing.assert_array_equal(on_white(edge)[:, 2:], made[:, 2:])


def test_an_image_whose_opacity_is_full_gives_the_bytes_of_one_without(models: Path) -> None:
    pixels = half_clear()
    pixels[:, :, 3] = 255
    enlarger = gan_serve.load("enlarger", models=models)
    for format in ("png", "webp", "jpeg"):
        contents = [decode_pixels(enlarger.generate(image=each).encode(format)) for each in (pixels, pixels[:, :, :3])]
        np.testing.assert_array_equal(*contents)


@pytest.mark.parametrize("model", ["filler", "mender"])
def test_the_hole_becomes_opaque_and_the_rest_keeps_its_opacity(models: Path, model: str) -> None:
    pixels, hole = half_clear(), np.zeros((HEIGHT, WIDTH), bool)
    hole[:, :4] = True
    (filled,) = gan_serve.load(model, models=models).generate(image=pixels, hole=hole).images()
    made = np.asarray(filled)
    assert (made[:, :4, 3] == 255).all()
    np.testing.assert_array_equal(made[:, 4:, 3], pixels[:, 4:, 3])
    np.testing.assert_array_equal(made[:, 12:], pixels[:, 12:])


def test_an_image_that_is_its_own_mask_becomes_opaque(models: Path) -> None:
    pixels = half_clear()
    pixels[:, 8:, 3] = 255
    picture = PILImage.fromarray(pixels)
    (filled,) = gan_serve.load("filler", models=models).generate(image=picture, hole=picture).images()
    assert filled.mode == "RGB"


def test_lines_on_clear_paper_are_painted_on_white(tmp_path: Path) -> None:
    save_model(tmp_path, SKETCHER)
    assert gan_serve.load("sketcher", models=tmp_path).generate(image=half_clear()).images()[0].mode == "RGB"


@pytest.mark.parametrize("format", ["png", "webp", "jpeg"])
def test_a_transparent_image_can_be_reproduced(run: Run, format: str) -> None:
    PILImage.fromarray(half_clear()).save("x.png")
    assert run("translate", "enlarger", "x.png", "--output", f"y.{format}").code == 0
    with PILImage.open(f"y.{format}") as made:
        assert made.mode == ("RGB" if format == "jpeg" else "RGBA")
    outcome = run("reproduce", f"y.{format}")
    assert (outcome.code, outcome.error) == (0, "identical\n")


def test_jpeg_shows_it_on_white(models: Path) -> None:
    result = gan_serve.load("painter", models=models).generate(image=PILImage.new("RGBA", (8, 8), (55, 155, 255, 128)))
    ((shown, *_), *_), ((clear, *_), *_) = (decode_pixels(result.encode(format)) for format in ("jpeg", "png"))
    assert clear[3] == 128
    assert np.abs(shown - flat(clear[None, None])[0, 0].astype(int)).max() <= 3


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_transparent_png_is_read_as_it_was_written(mode: str) -> None:
    image = PILImage.fromarray(half_clear()).convert(mode)
    np.testing.assert_array_equal(decode_pixels(encode_image(image, "png", "{}")), np.asarray(image))


def test_a_grid_of_clear_and_opaque_images_keeps_both(models: Path) -> None:
    result = gan_serve.load("enlarger", models=models).generate(image=[half_clear(), half_clear()[:, :, :3]])
    grid = np.asarray(result.grid(columns=1))
    assert grid.shape == (4 * HEIGHT, 2 * WIDTH, 4)
    assert (grid[2 * HEIGHT :, :, 3] == 255).all()
    assert grid[: 2 * HEIGHT, :8, 3].max() == 0
