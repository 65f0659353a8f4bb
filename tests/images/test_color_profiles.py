"""Colour profiles of input images."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from command_line import Run
from PIL import Image as PILImage
from profiles import inverted_ink, linear_grey, srgb, swapped

import gan_serve
from gan_serve.images.preprocess import read_image

RED, GREEN = (200, 40, 90), (40, 200, 90)


def written(image: PILImage.Image, format: str, profile: bytes | None) -> io.BytesIO:
    buffer = io.BytesIO()
    exact = {"quality": 100, "subsampling": 0} if format == "JPEG" else {"quality": 100} if format == "AVIF" else {}
    image.save(buffer, format, icc_profile=profile, **exact, **({"lossless": True} if format == "WEBP" else {}))
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        *((format, "RGB") for format in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")),
        *((format, "RGBA") for format in ("PNG", "WEBP", "TIFF", "AVIF")),
        *((format, "P") for format in ("PNG", "TIFF")),
    ],
)
def test_colours_are_those_that_the_profile_means(format: str, mode: str) -> None:
    given = PILImage.new("RGBA", (8, 8), (*RED, 90)) if mode == "RGBA" else PILImage.new("RGB", (8, 8), RED)
    image = read_image(written(given.quantize(2) if mode == "P" else given, format, swapped()), "x")
    assert image.mode == ("RGBA" if mode == "RGBA" else "RGB")
    assert np.abs(np.asarray(image)[:, :, :3].astype(int) - GREEN).max() <= 4


@pytest.mark.parametrize(
    ("mode", "level", "profile", "expected"),
    [
        ("L", 128, linear_grey(), 188),
        ("LA", 128, linear_grey(), 188),
        ("1", 1, linear_grey(), 255),
        ("I;16", 128 << 8, linear_grey(), 188),
        ("L", 128, swapped(), 128),
        ("CMYK", 0, inverted_ink(), 0),
        ("CMYK", (0, 0, 0, 255), inverted_ink(), 255),
    ],
)
def test_grey_and_printed_images_have_profiles_too(
    mode: str, level: int | tuple[int, ...], profile: bytes, expected: int
) -> None:
    format = "TIFF" if mode == "CMYK" else "PNG"
    given = (level, 255) if mode == "LA" else (0, 0, 0, 0) if level == 0 else level
    image = read_image(written(PILImage.new(mode, (8, 8), given), format, profile), "x")
    assert np.abs(np.asarray(image.convert("RGB")).astype(int) - expected).max() <= 2


def test_transparent_pixels_stay_transparent() -> None:
    given = PILImage.new("RGBA", (8, 8), (*RED, 70))
    image = read_image(written(given, "PNG", swapped()), "x")
    assert image.getchannel("A").getextrema() == (70, 70)
    keyed = PILImage.new("P", (8, 8), 1)
    keyed.putpalette([0, 0, 0, *RED])
    keyed.info["transparency"] = 0
    keyed.putpixel((0, 0), 0)
    image = read_image(written(keyed, "PNG", swapped()), "x")
    assert [image.getpixel(place)[3] for place in ((0, 0), (1, 1))] == [0, 255]  # type: ignore[index]


def test_pixels_with_the_profile_of_srgb_stay_as_they_are() -> None:
    noise = PILImage.fromarray(np.random.RandomState(0).randint(256, size=(40, 40, 3), dtype=np.uint8))
    np.testing.assert_array_equal(np.asarray(read_image(written(noise, "PNG", srgb()), "x")), np.asarray(noise))


BROKEN: list[Callable[[], bytes]] = [lambda: b"junk", lambda: srgb()[:300], linear_grey, inverted_ink]


@pytest.mark.parametrize("profile", BROKEN)
def test_an_unusable_profile_is_reported_and_ignored(run: Run, models: Path, profile: Callable[[], bytes]) -> None:
    Path("x.png").write_bytes(written(PILImage.new("RGB", (8, 8), RED), "PNG", profile()).getvalue())
    outcome = run("translate", "enlarger", "x.png", "--output", "y.png")
    message = "x.png has an unusable colour profile; its colours are read as sRGB"
    assert (outcome.code, outcome.error) == (0, f"warning: {message}\n")
    with pytest.warns(UserWarning, match=message):
        result = gan_serve.load("enlarger", models=models).generate(image="x.png")
    PILImage.new("RGB", (8, 8), RED).save("plain.png")
    plain = gan_serve.load("enlarger", models=models).generate(image="plain.png")
    np.testing.assert_array_equal(np.asarray(result.images()[0]), np.asarray(plain.images()[0]))


def test_avif_is_read_wherever_images_are(run: Run) -> None:
    Path("in").mkdir()
    Path("in/x.avif").write_bytes(written(PILImage.new("RGB", (8, 8), RED), "AVIF", None).getvalue())
    for given in ("in", "in/*.avif", "in/x.avif"):
        assert run("translate", "enlarger", given, "--output", "made/").error in ("", "nothing to do: 1 of 1 done\n")
    assert len(list(Path("made").iterdir())) == 1


def test_heic_needs_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    half = np.full((16, 16, 3), 255, np.uint8)
    half[:, :8] = (200, 40, 90)
    pillow_heif.from_bytes("RGB", (16, 16), half.tobytes()).save("x.heic", quality=100)
    assert run("translate", "enlarger", "x.heic", "--output", "y.png").code == 0
    pixels = np.asarray(read_image(Path("x.heic"), "x.heic").convert("RGB")).astype(int)
    assert np.abs(pixels[:, :6] - (200, 40, 90)).max() <= 8
    Path("in").mkdir()
    Path("x.heic").rename("in/x.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    outcome = run("translate", "enlarger", "in", "--output", "z/")
    message = 'reading HEIC images needs an extra; install it with: pip install "gan-serve[heic]"'
    assert (outcome.code, outcome.error) == (1, f"error: in/x.heic: {message}\n")
