"""Python arguments that stand for images."""

import hashlib
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import draw
from PIL import Image as PILImage
from small_models import GREY

from gan_serve import Failure, UsageError
from gan_serve.image_arguments import parse_images
from gan_serve.image_inputs import open_image
from gan_serve.images.pixels import from_pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images, and what else lies in folders."""
    for level, name in enumerate(("b.png", "a.JPG", "c[1].webp", ".hidden.png")):
        draw(tmp_path / "images" / name, 50 * level)
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    (tmp_path / "images" / "inner.png").mkdir()
    return tmp_path / "images"


def closed() -> io.BytesIO:
    file = io.BytesIO(b"something")
    file.close()
    return file


def names(value: object) -> list[str | None]:
    return [source.file for source in parse_images(GREY, value)]


def test_paths_folders_globs_and_lists_mean_files(folder: Path) -> None:
    assert names(folder / "b.png") == names(str(folder / "b.png")) == ["b.png"]
    with pytest.warns(UserWarning, match=r"left out 1: inner\.png \(a folder\)$"):
        assert names(str(folder / "*.[pw]*")) == ["b.png", "c[1].webp"]
    assert names(str(folder.parent / "**" / "a.*")) == ["a.JPG"]
    assert names([folder / "b.png", str(folder / "a*")]) == ["b.png", "a.JPG"]
    assert names(str(folder / "c[1].webp")) == ["c[1].webp"], "a file's own name comes before a glob"


def test_a_folder_means_its_images_in_the_order_of_their_names(folder: Path) -> None:
    with pytest.warns(UserWarning, match=r"left out 2: inner\.png \(a folder\), notes\.txt \(no image suffix\)$"):
        assert names(folder) == ["a.JPG", "b.png", "c[1].webp"]


def test_images_and_arrays_in_memory_are_equal_to_files(folder: Path) -> None:
    pixels = np.full((8, 8), 50, np.uint8)
    expected = from_pixels(pixels[:, :, None], GREY)
    values = [pixels, PILImage.fromarray(pixels), np.stack([pixels] * 3, axis=2), expected]
    for source in parse_images(GREY, values):
        np.testing.assert_array_equal(source.array(GREY), expected)
        assert source.file is None
    np.testing.assert_array_equal(parse_images(GREY, draw(folder / "d.png", 50))[0].array(GREY), expected)


class Place:
    """What a library's own path may be."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self.path)


def test_a_file_may_come_as_bytes_or_open(folder: Path) -> None:
    path = folder / "b.png"
    content, (expected,) = path.read_bytes(), parse_images(GREY, path)
    with path.open("rb") as file, path.open("rb", buffering=0) as raw:
        values = [content, bytearray(content), memoryview(content), io.BytesIO(content), file, raw, Place(path)]
        sources = parse_images(GREY, values)
    for source in sources:
        np.testing.assert_array_equal(source.array(GREY), expected.array(GREY))
        assert source.sha256 == expected.sha256
    assert [source.file for source in sources] == [None] * 4 + ["b.png"] * 3, "an open file is found again"


def test_text_in_arrays_names_files(folder: Path) -> None:
    paths = [str(folder / name) for name in ("b.png", "a.JPG")]
    for value in (np.array(paths), np.array(paths, dtype=object), np.array(paths[0])):
        assert names(value) == ["b.png", "a.JPG"][: value.size]


def test_tensors_are_arrays(folder: Path) -> None:
    numbers = torch.linspace(-1, 1, 64).reshape(1, 8, 8).requires_grad_()
    pixels = torch.arange(64, dtype=torch.uint8).reshape(8, 8)
    for value in (numbers, pixels, pixels[:, :, None].expand(8, 8, 3), numbers.bfloat16()):
        (source,) = parse_images(GREY, value)
        expected = parse_images(GREY, value.detach().float().numpy() if value.is_floating_point() else value.numpy())
        np.testing.assert_array_equal(source.array(GREY), expected[0].array(GREY))
    assert len(parse_images(GREY, torch.stack([numbers] * 3))) == 3
    assert len(parse_images(GREY, [pixels, numbers])) == 2


def test_other_files_of_a_folder_are_reported(folder: Path) -> None:
    (folder / "gone").symlink_to("nowhere")
    (folder / "more.md").touch()
    names_of_three = "gone (a broken link), inner.png (a folder), more.md (no image suffix)"
    with pytest.warns(UserWarning, match=f"^{re.escape(f'{folder}: left out 4: {names_of_three} and 1 more')}$"):
        assert names(folder) == ["a.JPG", "b.png", "c[1].webp"]


def test_a_stack_of_arrays_is_a_list() -> None:
    assert len(parse_images(GREY, np.zeros((5, 1, 8, 8), np.float32))) == 5
    assert len(parse_images(GREY, np.zeros((4, 20, 30, 3), np.uint8))) == 4


def test_the_digest_is_that_of_the_bytes(folder: Path) -> None:
    content = (folder / "b.png").read_bytes()
    assert open_image(folder / "b.png").sha256 == hashlib.sha256(content).hexdigest()
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8).T
    (source,) = parse_images(GREY, pixels)
    assert source.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("absent.png", "image 'absent.png' does not exist; give a file, a folder of images, or a glob in quotes"),
        ("absent/*.png", "does not exist"),
        ("", "image '' does not exist"),
        ("/dev/zero", "'/dev/zero' does not exist"),
        (Path("empty"), "image 'empty' holds no images"),
        (3, "of type int, not an image; give a path, a Pillow image or an array"),
        ([[0.5]], "of type float"),
        (b"", "image is empty; give all bytes of the file, or go to its start with seek(0)"),
        (io.BytesIO(), "image is empty"),
        (io.StringIO("text"), "image is an open file that yields no bytes; open it with open(path, 'rb')"),
        (closed(), "image is an open file that yields no bytes"),
        ([np.zeros((4, 4), np.uint8), None], "of type NoneType"),
        (np.array([None]), "of type NoneType"),
        (torch.tensor(3), "array of int64 ()"),
        (torch.empty(1, 8, 8, device="meta"), "a value of type Tensor cannot be read"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), "give uint8"),
        ({"image": "x.png"}, "of type dict"),
        (None, "of type NoneType"),
        (np.zeros((2, 8, 8)), "give uint8"),
        (np.zeros((2, 9, 8, 8)), "give uint8"),
    ],
)
def test_values_that_are_not_images_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=re.escape(message)):
        parse_images(GREY, value)


def test_a_file_without_an_image_is_rejected_at_once(folder: Path) -> None:
    with pytest.raises(Failure, match=r"notes\.txt: not an image"):
        parse_images(GREY, folder / "notes.txt")


def test_a_truncated_image_in_memory_is_one_line(folder: Path) -> None:
    PILImage.fromarray(np.random.RandomState(0).randint(256, size=(64, 64), dtype=np.uint8)).save(folder / "b.png")
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:2000])
    with pytest.raises(Failure, match="image: damaged"), PILImage.open(folder / "b.png") as image:
        parse_images(GREY, image)
