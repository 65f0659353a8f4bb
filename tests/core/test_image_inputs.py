"""Input images: read when they are needed, and found again."""

import hashlib
import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import draw
from PIL import Image as PILImage
from small_models import GREY

from gan_serve import Failure
from gan_serve.image_inputs import ImageRef, find_image, image_in_memory, open_frames, open_image, piped_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw(tmp_path / "images" / "b.png", 50)
    return tmp_path / "images"


@given(levels=st.lists(st.integers(0, 255), min_size=2, max_size=4, unique=True))
def test_the_frames_of_an_animation_share_its_name_and_digest(
    tmp_path_factory: pytest.TempPathFactory, levels: list[int]
) -> None:
    path = tmp_path_factory.mktemp("moving") / "moving.webp"
    first, *others = [PILImage.new("RGB", (4, 4), (level,) * 3) for level in levels]
    first.save(path, save_all=True, append_images=others, lossless=True, duration=40)
    frames = open_frames(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert [(each.file, each.sha256, each.frame, each.duration) for each in frames] == [
        ("moving.webp", digest, number, 40) for number in range(len(levels))
    ]
    assert [each.read().getpixel((0, 0))[0] for each in frames] == levels


def test_an_image_has_the_same_pixels_from_a_file_a_pipe_and_memory(folder: Path) -> None:
    content = (folder / "b.png").read_bytes()
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_bytes, args=(content,))
    writer.start()
    piped = open_image(folder / "pipe")
    writer.join()
    expected = open_image(folder / "b.png")
    for source in (piped, piped_image(io.BytesIO(content), "stdin"), image_in_memory(content, "image")):
        assert (source.file, source.sha256, source.size) == (None, expected.sha256, (8, 8))
        np.testing.assert_array_equal(source.array(GREY), expected.array(GREY))


@pytest.mark.parametrize(
    ("file", "sha256", "frame"),
    [
        ("", "0" * 64, None),
        ("a/b.png", "0" * 64, None),
        ("a.png", "0" * 63, None),
        ("a.png", "G" * 64, None),
        ("a.png", "0" * 64, -1),
    ],
)
def test_a_reference_has_a_file_name_and_a_digest(file: str, sha256: str, frame: int | None) -> None:
    with pytest.raises(ValueError, match="is not a "):
        ImageRef(file, sha256, frame)


def test_a_file_that_changes_during_the_work_is_noticed(folder: Path) -> None:
    source = open_image(folder / "b.png")
    draw(folder / "b.png", 99)
    with pytest.raises(Failure, match=r"b\.png: the file has changed"):
        source.array(GREY)
    (folder / "b.png").unlink()
    with pytest.raises(Failure, match=r"b\.png: cannot be read \(No such file"):
        source.array(GREY)


def test_an_image_is_found_again_by_its_name_and_digest(folder: Path, tmp_path: Path) -> None:
    reference = ImageRef("b.png", open_image(folder / "b.png").sha256)
    draw(tmp_path / "other" / "b.png", 99)
    assert find_image(reference, [tmp_path / "other", folder]).origin == folder / "b.png"
    with pytest.raises(Failure, match=r"other/b\.png is not the image that was used.*--inputs DIR"):
        find_image(reference, [tmp_path / "other"])
    with pytest.raises(Failure, match=r"the input 'b\.png' is not in .*--inputs DIR"):
        find_image(reference, [tmp_path])
    with pytest.raises(Failure, match="the input was an array"):
        find_image(ImageRef(None, "0" * 64), [folder])
