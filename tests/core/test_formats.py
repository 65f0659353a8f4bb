"""Output paths and formats."""

from pathlib import Path

import pytest

from gan_serve.errors import UsageError
from gan_serve.formats import Output, format_of, plan_output, stdout_format, writes_one_image
from gan_serve.media.images import MEDIUM as IMAGES
from gan_serve.media.medium import Medium
from gan_serve.media.numbers import MEDIUM as NUMBERS


def planned(given: str | None, format: str | None, images: int = 1, grid: bool = False, of: Medium = IMAGES) -> Output:
    return plan_output(given, format, of, stem="name", images=images, grid=grid)


@pytest.mark.parametrize(
    ("given", "format", "images", "grid", "output"),
    [
        (None, None, 1, False, Output(Path("name.png"), "png")),
        (None, "webp", 1, False, Output(Path("name.webp"), "webp")),
        (None, None, 9, True, Output(Path("name.png"), "png")),
        (None, None, 2, False, Output(Path("name"), "png", folder=True)),
        (None, "jpeg", 2, False, Output(Path("name"), "jpeg", folder=True)),
        (None, "npy", 2, False, Output(Path("name.npy"), "npy")),
        (None, "gif", 2, False, Output(Path("name.gif"), "gif")),
        (None, "webp", 2, False, Output(Path("name"), "webp", folder=True)),
        ("new/", None, 1, False, Output(Path("new/name.png"), "png")),
        ("new/", None, 2, False, Output(Path("new"), "png", folder=True)),
        ("new/", "npy", 2, False, Output(Path("new/name.npy"), "npy")),
        ("x.PNG", None, 1, False, Output(Path("x.PNG"), "png")),
        ("x.jpg", None, 9, True, Output(Path("x.jpg"), "jpeg")),
        ("x.jpg", "jpeg", 1, False, Output(Path("x.jpg"), "jpeg")),
        ("x", None, 1, False, Output(Path("x"), "png")),
        ("x", "npy", 2, False, Output(Path("x"), "npy")),
        ("x", "webp", 2, False, Output(Path("x"), "webp", folder=True)),
        ("x", "gif", 2, False, Output(Path("x"), "gif")),
        ("x.webp", None, 2, False, Output(Path("x.webp"), "webp")),
        ("x.gif", None, 2, False, Output(Path("x.gif"), "gif")),
        ("x.npy", None, 2, False, Output(Path("x.npy"), "npy")),
        ("v1.0", None, 2, False, Output(Path("v1.0"), "png", folder=True)),
    ],
)
def test_images_are_written_to_the_planned_path(
    given: str | None, format: str | None, images: int, grid: bool, output: Output
) -> None:
    assert planned(given, format, images, grid) == output


@pytest.mark.parametrize(
    ("given", "format", "images", "output"),
    [
        (None, None, 1, Output(Path("name.jsonl"), "jsonl")),
        (None, None, 2, Output(Path("name.jsonl"), "jsonl")),
        (None, "json", 2, Output(Path("name"), "json", folder=True)),
        ("x.json", None, 1, Output(Path("x.json"), "json")),
        ("x", None, 2, Output(Path("x"), "jsonl")),
    ],
)
def test_numbers_are_written_to_the_planned_path(
    given: str | None, format: str | None, images: int, output: Output
) -> None:
    assert planned(given, format, images, of=NUMBERS) == output


def test_a_folder_that_is_there_is_one_without_a_slash(tmp_path: Path) -> None:
    assert planned(str(tmp_path), None) == Output(tmp_path / "name.png", "png")
    assert planned(str(tmp_path), None, 2) == Output(tmp_path, "png", folder=True)


@pytest.mark.parametrize(
    ("given", "format", "images", "grid", "message"),
    [
        ("x.png", None, 2, False, "2 images do not fit into x.png; make a grid, or give a folder, a .gif or a .npy"),
        ("x.png", "webp", 1, False, "the suffix of x.png means png, but the format is webp; leave out one of them"),
        ("x.png", "webp", 2, False, "the suffix of x.png means png, but the format is webp; leave out one of them"),
        ("x.bmp", None, 1, False, "x.bmp: images cannot be written as .bmp; use .png, .webp, .jpg, .jpeg, .npy"),
        ("x.json", None, 1, False, "x.json: images cannot be written as .json; use .png"),
        (None, "bmp", 1, False, "images cannot be written as 'bmp'; use png, webp, jpeg, npy, gif"),
        (None, "npy", 2, True, "npy holds arrays, and a grid is an image; leave out one of them"),
        ("x.npy", None, 2, True, "npy holds arrays, and a grid is an image; leave out one of them"),
        (None, "gif", 1, False, "gif is for animations; ask for several images without a grid, or use png"),
        (None, "gif", 2, True, "gif is for animations; ask for several images without a grid, or use png"),
        ("x.gif", None, 1, False, "gif is for animations; ask for several images without a grid, or use png"),
    ],
)
def test_output_that_does_not_fit_is_rejected(
    given: str | None, format: str | None, images: int, grid: bool, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        planned(given, format, images, grid)
    assert str(caught.value).startswith(message)


def test_numbers_have_no_grid_and_no_format_of_images() -> None:
    with pytest.raises(UsageError, match=r"^this model returns numbers, and a grid holds images; leave out the grid$"):
        planned(None, None, 2, True, NUMBERS)
    with pytest.raises(UsageError, match=r"^numbers cannot be written as 'png'; use json, jsonl$"):
        planned(None, "png", of=NUMBERS)
    with pytest.raises(UsageError, match=r"^x.png: numbers cannot be written as .png; use .json, .jsonl$"):
        format_of(Path("x.png"), NUMBERS)


def test_stdout_gets_one_file() -> None:
    assert stdout_format(None, IMAGES, images=1, grid=False) == "png"
    assert stdout_format("npy", IMAGES, images=2, grid=False) == "npy"
    assert stdout_format("gif", IMAGES, images=2, grid=False) == "gif"
    assert stdout_format(None, NUMBERS, images=2, grid=False) == "jsonl"
    with pytest.raises(UsageError, match="2 images do not fit"):
        stdout_format(None, IMAGES, images=2, grid=False)


@pytest.mark.parametrize(
    ("images", "format", "grid", "one"),
    [(1, None, False, True), (2, None, False, False), (2, None, True, True), (1, "npy", False, False),
     (2, "npy", True, False), (2, "gif", False, True), (2, "webp", False, False)],
)  # fmt: skip
def test_one_image_is_distinguished_from_arrays_and_folders(
    images: int, format: str | None, grid: bool, one: bool
) -> None:
    assert writes_one_image(images, format, IMAGES, grid=grid) == one
