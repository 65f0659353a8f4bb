import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import gan_serve
from gan_serve import Failure, UsageError
from gan_serve.generator import Generator
from gan_serve.images.encoding import encode_image, read_document, read_generated, write_atomic
from gan_serve.provenance import parse_provenance
from gan_serve.result import Result


@pytest.fixture(scope="module")
def digits(models: Path) -> Generator:
    return gan_serve.load("digits", models=models)


@pytest.fixture(scope="module")
def colour(models: Path) -> Result:
    return gan_serve.load("plain", models=models).generate(6, seed=3)


@pytest.mark.parametrize("format", ["png", "webp", "jpeg", "npy"])
def test_every_format_contains_its_provenance(digits: Generator, tmp_path: Path, format: str) -> None:
    result = digits.generate(seed=2**64 - 1, index=7, label=3)
    (path,) = result.save(tmp_path / f"three.{format}")
    provenance = parse_provenance(read_document(path), str(path))
    assert (provenance.model, provenance.version, provenance.sha256) == ("digits", 1, result.sha256)
    assert (provenance.seed, provenance.index, provenance.inputs) == (2**64 - 1, 7, ({"label": 3},))
    assert provenance.gan_serve == gan_serve.__version__


@pytest.mark.parametrize("format", ["png", "webp"])
def test_lossless_formats_keep_every_pixel(colour: Result, tmp_path: Path, format: str) -> None:
    (path,) = colour.save(tmp_path / f"grid.{format}", grid=True, scale=3)
    pixels = read_generated(path)[1]
    assert pixels.shape == (2 * 8 * 3, 3 * 6 * 3, 3)
    np.testing.assert_array_equal(pixels, np.asarray(colour.grid(scale=3)))
    np.testing.assert_array_equal(pixels[: 8 * 3 : 3, : 6 * 3 : 3], np.asarray(colour.images()[0]))


def test_jpeg_is_near(colour: Result, tmp_path: Path) -> None:
    (path,) = colour.save(tmp_path / "grid.jpg", grid=True, scale=16)
    apart = read_generated(path)[1].astype(int) - np.asarray(colour.grid(scale=16))
    assert np.abs(apart).mean() < 8


def test_npy_is_an_array_for_numpy_too(colour: Result, tmp_path: Path) -> None:
    (path,) = colour.save(tmp_path / "all.npy")
    np.testing.assert_array_equal(np.load(path), colour.array)
    np.testing.assert_array_equal(np.load(path, mmap_mode="r"), colour.array)
    assert np.load(path).dtype == np.float32


def test_png_text_is_readable_by_others(colour: Result, tmp_path: Path) -> None:
    (path,) = colour.save(tmp_path / "grid.png", grid=True)
    with Image.open(path) as image:
        assert json.loads(image.info["gan_serve"])["seed"] == 3


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (64, 64, 3), (300, 400, 3)])
def test_png_is_the_file_that_pillow_writes(shape: tuple[int, ...]) -> None:
    image = Image.fromarray(np.random.RandomState(0).randint(256, size=shape, dtype=np.uint8))
    text, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    text.add_text("gan_serve", "words")
    image.save(buffer, "PNG", pnginfo=text, compress_level=1)
    assert encode_image(image, "png", "words") == buffer.getvalue()


def test_levels_span_the_range_of_the_model(colour: Result) -> None:
    image = np.asarray(colour.images()[0]).astype(float)
    expected = colour.array[0].transpose(1, 2, 0).clip(0, 1) * 255  # this model's images run from 0 to 1
    assert np.abs(image - expected).max() <= 0.5


def test_folder_gets_a_file_for_each_image(colour: Result, tmp_path: Path) -> None:
    paths = colour.save(tmp_path / "all", format="webp")
    assert [path.name for path in paths] == [f"plain-seed3-index{index:05}.webp" for index in range(6)]
    for path, image in zip(paths, colour.images(), strict=True):
        np.testing.assert_array_equal(read_generated(path)[1], np.asarray(image))


def test_grid_of_a_list_has_a_row_for_each_value(digits: Generator) -> None:
    assert digits.generate(3, seed=0, label=[1, 2]).grid().size == (3 * 8, 2 * 8)
    assert digits.generate(10, seed=0).grid().size == (5 * 8, 2 * 8)
    assert digits.generate(7, seed=0).grid().size == (7 * 8, 8) or digits.generate(7, seed=0).grid().size == (
        3 * 8,
        3 * 8,
    )


def test_output_that_does_not_fit_into_its_file_is_rejected(colour: Result, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="6 images do not fit into"):
        colour.save(tmp_path / "one.png")
    with pytest.raises(UsageError, match="too large"):
        colour.save(tmp_path / "one.png", grid=True, scale=10_000)
    with pytest.raises(UsageError, match="means png, but the format is webp"):
        colour.save(tmp_path / "one.png", grid=True, format="webp")
    assert not list(tmp_path.iterdir())


def test_scales_and_columns_that_make_no_image_are_refused(colour: Result, tmp_path: Path) -> None:
    for scale in (0, -1, 1.5, "2", 10**5000):
        for name, grid in (("folder/", False), ("x.gif", False), ("x.npy", False), ("x.png", True)):
            with pytest.raises(UsageError, match=r"scale .* is not an integer from 1 to 16383"):
                colour.save(tmp_path / name, grid=grid, scale=scale)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="an image of 60000x80000 pixels is too large"):
        colour.images(scale=10_000)
    for columns in (-1, 0, 1.5):
        for ask in (colour.grid, lambda columns: colour.encode("png", columns=columns)):
            with pytest.raises(UsageError, match=r"columns .* is not an integer from 1"):
                ask(columns)
    assert colour.encode("png", scale=np.int64(2), columns=np.int64(3)) == colour.encode("png", scale=2, columns=3)


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(Failure, match="cannot be written"):
        write_atomic(tmp_path / "taken", b"x")
    with pytest.raises(Failure, match="cannot be written"):
        write_atomic(Path("/dev/null/x.png"), b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def png(size: tuple[int, int], document: str | None) -> bytes:
    text = PngImagePlugin.PngInfo()
    if document is not None:
        text.add_text("gan_serve", document)
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("garbage.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("other.png", png((4, 4), None)),
        ("text.png", b"hello"),
        ("huge.png", png((20_000, 9_000), "{}")),
        ("huge.webp", png((10_000, 9_000), "{}")),
        ("empty.npy", b""),
        ("text.npy", b"hello"),
        ("pickle.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,)}" + b" " * 60),
        ("absent.png", None),
        ("absent.npy", None),
    ],
)
def test_foreign_files_are_rejected(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for read in (read_generated,) if "huge" in name else (read_generated, read_document):
        with pytest.raises(Failure) as error:
            read(path)
        assert "\n" not in str(error.value)
        assert name in str(error.value)


def test_the_document_of_an_image_too_large_to_be_read_is_read(tmp_path: Path) -> None:
    content = bytearray(png((4, 4), "{}"))
    content[16:24] = struct.pack(">II", 16_000, 12_000)  # what its header says of width and height
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "huge.png").write_bytes(content)
    assert read_document(tmp_path / "huge.png") == "{}"
    with pytest.raises(Failure, match="more than the 64 megapixels"):
        read_generated(tmp_path / "huge.png")


@pytest.mark.parametrize("name", ["grid.png", "grid.webp", "grid.jpeg", "all.npy", "all.gif", "all.webp"])
def test_truncated_files_are_rejected(colour: Result, tmp_path: Path, name: str) -> None:
    (path,) = colour.save(tmp_path / name, grid=name.startswith("grid"), scale=1 if name.endswith("npy") else 20)
    content = path.read_bytes()
    for length in (10, 100, len(content) // 2, len(content) - 40):
        path.write_bytes(content[:length])
        with pytest.raises(Failure):
            parse_provenance(read_generated(path)[0], str(path))


@pytest.mark.parametrize("document", ["", "{}", "[1]", "x", '{"seed": "no"}', "9" * 5 * 2**20])
def test_invalid_provenance_is_rejected(document: str) -> None:
    with pytest.raises(Failure, match=r"^image\.png: its provenance is") as error:
        parse_provenance(document, "image.png")
    assert "\n" not in str(error.value)
