"""Everything in a folder of data is used or reported in one line."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training import variants
from training.data import loading
from training.data.dataset import Dataset, DataSpec


def save(path: Path, shade: int = 9, size: tuple[int, int] = (8, 8), **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, shade).save(path, **options)


def fill(root: Path, *folders: str, count: int = 3, shade: int = 9) -> None:
    for folder in folders:
        for number in range(count):
            save(root / folder / f"{number}.png", shade)


def load(root: Path, split: str = "train", **options: Any) -> Dataset:
    return loading.load(str(root), split, image_size=8, **options)  # type: ignore[arg-type]


def labels(dataset: Dataset) -> list[int]:
    return sorted(dataset.labels.tolist())


def test_a_part_that_lacks_a_class_keeps_the_numbers_of_the_others(tmp_path: Path) -> None:
    fill(tmp_path, "train/cat", "train/dog", "test/dog")
    for split, expected in (("train", [0, 0, 0, 1, 1, 1]), ("test", [1, 1, 1])):
        part = load(tmp_path, split)
        assert (part.classes, labels(part)) == (("cat", "dog"), expected)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_that_only_the_test_part_has_is_refused_before_training(tmp_path: Path, split: str) -> None:
    fill(tmp_path, "train/cat", "train/dog", "test/dog", "test/bird")
    with pytest.raises(
        Failure, match=r"test: has the classes bird, which .*train lacks; that one has the classes cat, dog$"
    ):
        load(tmp_path, split)


def test_a_test_part_without_folders_of_classes_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "train/cat", "train/dog", "test")
    with pytest.raises(
        Failure, match=r"test: has images without class folders; put them into class folders, as in .*train$"
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9", "1", "2"], ("1", "2", "9", "10")),
        (["010", "002", "1"], ("1", "002", "010")),
        (["1", "-1", "0"], ("-1", "0", "1")),
        (["10", "2", "other"], ("10", "2", "other")),
    ],
)
def test_folders_named_by_numbers_are_in_the_order_of_the_numbers(
    tmp_path: Path, names: Sequence[str], expected: tuple[str, ...]
) -> None:
    for name in names:
        save(tmp_path / name / "a.png")
    assert load(tmp_path).classes == expected


def test_two_folders_of_one_number_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "1", "01", "2")
    with pytest.raises(Failure, match="the classes 01, 1 have the same name or number; rename all but one"):
        load(tmp_path)


def test_files_of_systems_and_tools_are_no_classes_and_are_reported_once(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    fill(tmp_path, "cat", "dog", "__MACOSX", ".git", ".ipynb_checkpoints", "cat/@eaDir", count=2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("words")
    (tmp_path / "dog" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "dog" / ".DS_Store").write_bytes(b"x")
    dataset = load(tmp_path)
    assert (dataset.classes, len(dataset.images)) == (("cat", "dog"), 4)
    (warning,) = (str(each.message) for each in recwarn)
    assert (
        "skipped 6 hidden or system files and folders: .git, .ipynb_checkpoints, __MACOSX, cat/@eaDir, dog/" in warning
    )
    assert "skipped 2 folders without images: empty, notes" in warning


def test_broken_and_circular_links_are_reported(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    fill(tmp_path, "data/cat", "elsewhere", count=2)
    (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "data" / "cat" / "again").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "cat" / "itself.png").symlink_to(tmp_path / "data" / "cat" / "itself.png")
    os.mkfifo(tmp_path / "data" / "cat" / "pipe.png")
    dataset = load(tmp_path / "data")
    assert (dataset.classes, labels(dataset)) == (("cat", "dog"), [0, 0, 1, 1])
    (warning,) = (str(each.message) for each in recwarn)
    assert "skipped 2 broken links: cat/gone.png, cat/itself.png" in warning
    assert "skipped 1 unreadable file: cat/pipe.png" in warning
    assert "skipped 1 link to a folder above it: cat/again" in warning


def test_images_in_deeper_folders_belong_to_the_class_above(tmp_path: Path) -> None:
    fill(tmp_path, "cat/indoor/2024", "cat/outdoor", "dog", count=1)
    assert labels(load(tmp_path)) == [0, 0, 1]


def test_images_beside_folders_of_images_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "", count=24)
    fill(tmp_path, "rejected", count=2)
    with pytest.raises(Failure, match="24 images are beside the image folders rejected; put each image into"):
        load(tmp_path)


def test_files_beside_the_classes_that_are_no_images_are_reported(tmp_path: Path) -> None:
    fill(tmp_path, "cat", "dog")
    (tmp_path / "labels.csv").write_text("0.png,cat")
    with pytest.warns(UserWarning, match=r": skipped 1 unreadable file: labels\.csv$"):
        assert load(tmp_path).classes == ("cat", "dog")


def test_a_folder_that_is_too_high_is_reported_with_the_right_one(tmp_path: Path) -> None:
    fill(tmp_path, "parts/pets/train/cat", "parts/pets/test/cat", "classes/pets/cat", "classes/pets/dog")
    fill(tmp_path, "sets/pets/trainA", "sets/pets/trainB")
    with pytest.raises(
        Failure, match=r"the part train is inside pets; use --data .*parts/pets, or put the classes into"
    ):
        load(tmp_path / "parts")
    with pytest.warns(UserWarning, match=r"of one class, pets; for the classes cat, dog use --data .*classes/pets$"):
        load(tmp_path / "classes")
    with pytest.raises(
        Failure, match=r"contains two sets of images, for models such as cyclegan; .* --data .*pets/trainA$"
    ):
        load(tmp_path / "sets")
    with pytest.raises(Failure, match=r"both sets are inside pets; use --data .*sets/pets$"):
        load(tmp_path / "sets", views=("line",))


@pytest.mark.parametrize(
    ("train", "test"), [("Train", "Testing"), ("training", "VAL"), ("train", "valid"), ("TRAIN", "validation")]
)
def test_parts_may_have_every_usual_name(tmp_path: Path, train: str, test: str) -> None:
    fill(tmp_path, f"{train}/cat", f"{train}/dog", shade=9)
    fill(tmp_path, f"{test}/cat", count=2, shade=90)
    assert (len(load(tmp_path).images), len(load(tmp_path, "test").images)) == (6, 2)
    assert load(tmp_path, "test").images.unique().tolist() == [90]


def test_validation_images_are_reported_if_there_is_a_test_part(tmp_path: Path) -> None:
    fill(tmp_path, "train", "test", "val", "extra")
    (tmp_path / "LICENSE").write_text("CC0")
    with pytest.warns(UserWarning, match="skipped") as caught:
        assert len(load(tmp_path).images) == 3
    (warning,) = (str(each.message) for each in caught)
    assert "skipped 4 files outside the training folder: LICENSE, extra/0.png" in warning
    assert "skipped 3 validation images, since the test part is used for the scores: val/0.png" in warning


def test_two_folders_of_one_part_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "train", "Training")
    with pytest.raises(Failure, match="Training and train are both the part train; keep one"):
        load(tmp_path)


def test_an_empty_test_part_counts_as_none(tmp_path: Path) -> None:
    fill(tmp_path, "train", count=12)
    (tmp_path / "test").mkdir()
    with pytest.warns(UserWarning, match="skipped 1 folder without images: test"):
        assert len(load(tmp_path, "test").images) == 2


def test_images_are_read_as_in_serving_and_changes_are_reported(tmp_path: Path) -> None:
    turned, frames = Image.Exif(), [Image.new("L", (8, 8), shade) for shade in (30, 60)]
    turned[274] = 6
    half = np.full((8, 8, 3), 200, np.uint8)
    half[:4] = 0
    Image.fromarray(half).save(tmp_path / "turned.png", exif=turned)
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (8, 8), (90, 90, 90, 255)).save(tmp_path / "solid.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "turned.png").read_bytes()[:80])
    with pytest.warns(UserWarning, match="skipped") as caught:
        images = load(tmp_path).images
    (warning,) = (str(each.message) for each in caught)
    assert warning.endswith(
        "made transparent parts white in 1 image: clear.png; skipped 1 unreadable file: cut.png; "
        "used only the first image of 1 file with several images: moving.gif"
    )
    middle = {tuple(image[0, 4, [1, 6]].tolist()) for image in images}
    assert middle == {(255, 255), (30, 30), (90, 90), (200, 0)}, "white, the first frame, unchanged, and turned"


def two_sets(root: Path, layout: str) -> None:
    """Save twelve dark and thirteen bright images to train on, two and three for the test; pairs share a name."""
    for part, count in (("train", 12), ("test", 2)):
        for side, bright in (("A", 0), ("B", 100)):
            for number in range(count + bool(bright)):
                save(root / layout.format(part=part, side=side) / f"{number}.png", bright + number)


@pytest.mark.filterwarnings("ignore:.*A is the input")
@pytest.mark.parametrize("layout", ["{part}{side}", "{side}/{part}", "{part}/{side}", "{part}_{side}"])
def test_two_sets_of_images_may_have_every_usual_layout(tmp_path: Path, layout: str) -> None:
    two_sets(tmp_path, layout)
    for split, count in (("train", 12), ("test", 2)):
        loose = load(tmp_path, split, views=("horse",), pairs=False)
        assert (len(loose.views["horse"]), len(loose.images)) == (count, count + 1)
        assert loose.views["horse"].max() < 100 <= loose.images.min()
        assert not loose.pairs
        with pytest.warns(UserWarning, match=rf"skipped 1 image without a partner of the same name: .*{count}\.png"):
            paired = load(tmp_path, split, views=("horse",))
        assert torch.equal(paired.views["horse"] + 100, paired.images)
        assert len(paired.images) == count


def test_the_input_of_two_sets_is_reported_or_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "ab/A", shade=1)
    fill(tmp_path, "ab/B", shade=2)
    with pytest.warns(UserWarning, match="A is the input, called noto, and B the target; .* use --set view=B"):
        assert load(tmp_path / "ab", views=("noto",)).images.unique().tolist() == [2]
    assert load(tmp_path / "ab", views=("B",)).images.unique().tolist() == [1]
    (tmp_path / "ab").rename(tmp_path / "named")
    (tmp_path / "named" / "A").rename(tmp_path / "named" / "summer")
    (tmp_path / "named" / "B").rename(tmp_path / "named" / "winter")
    with pytest.raises(
        Failure, match=r"which of summer and winter is the input\? Use --set view=summer --set target=winter"
    ):
        load(tmp_path / "named", views=("noto",))
    assert load(tmp_path / "named", views=("winter",)).images.unique().tolist() == [1]


def test_pairs_may_be_side_by_side_in_each_image(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        for number in range(count):
            both = np.repeat(np.array([[number, 100 + number]], np.uint8), 8, axis=0).repeat(8, axis=1)
            (tmp_path / part).mkdir(exist_ok=True)
            Image.fromarray(both).save(tmp_path / part / f"{number}.png")
    save(tmp_path / "test" / "square.png")
    assert load(tmp_path, views=("A",)).images.min() == 100
    with pytest.warns(UserWarning, match=r"skipped 1 image that is not twice as wide as high: test/square\.png"):
        test = load(tmp_path, "test", views=("B",))
    assert torch.equal(test.views["B"], test.images + 100)


def test_two_sets_without_a_test_part_hold_out_the_same_pairs(tmp_path: Path) -> None:
    """A sixth of each set is held out for the test."""
    for number in range(18):
        save(tmp_path / "A" / f"{number}.png", number)
        save(tmp_path / "B" / f"{number}.jpg", 100 + number, quality=100)
    train, test = (load(tmp_path, split, views=("B",)) for split in ("train", "test"))
    assert (len(train.images), len(test.images)) == (15, 3)
    for part in (train, test):
        assert (part.views["B"].int() - part.images.int() - 100).abs().max() <= 1


@pytest.mark.parametrize(
    ("folders", "pairs", "complaint"),
    [
        (("x", "y", "z"), False, "needs two sets of images, not necessarily pairs: a folder that contains trainA and"),
        (
            ("x", "y", "z"),
            True,
            "needs pairs: an .npz file in which `train_noto_images` has an image of the same shape",
        ),
        (("only",), True, "needs pairs"),
        (("",), False, "needs two sets"),
        (("trainA", "trainB", "testA"), False, "only A has a test part; add one to the other set, or remove it"),
    ],
)
def test_other_layouts_of_two_sets_are_refused(
    tmp_path: Path, folders: tuple[str, ...], pairs: bool, complaint: str
) -> None:
    fill(tmp_path, *folders)
    with pytest.raises(Failure, match=complaint) as caught:
        load(tmp_path, views=("noto",), pairs=pairs)
    assert "\n" not in str(caught.value)


def test_pairs_without_a_common_name_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "A" / "one.png")
    save(tmp_path / "B" / "two.png")
    with pytest.raises(Failure, match="no two images have the same name; give the images of a pair the same file name"):
        load(tmp_path, views=("B",))
    save(tmp_path / "A" / "one.jpg")
    with pytest.raises(Failure, match=r"one\.jpg and one\.png have the same name; keep the one that has a partner"):
        load(tmp_path, views=("B",))


def test_batches_cover_two_sets_of_different_sizes() -> None:
    images, views = (torch.full((count, 1, 8, 8), shade, dtype=torch.uint8) for count, shade in ((5, 0), (9, 255)))
    views[:, 0, 0, 0] = torch.arange(9, dtype=torch.uint8)
    labels = torch.zeros(5, dtype=torch.int64)
    dataset = Dataset("sets", images, labels, ("image",), "", "", views={"horse": views}, pairs=False)
    stream = dataset.unpaired().batches(3, 0, torch.device("cpu"))
    batches = [next(stream) for _ in range(3)]
    shown = torch.cat([batch["horse"][:, 0, 0, 0] for batch in batches])
    assert len(shown.unique()) == 9
    assert all((batch["image"] == -1).all() and batch["image"].shape == (3, 1, 8, 8) for batch in batches)


@pytest.mark.parametrize("name", ["cgan", "ssgan"])
def test_a_variant_with_labels_refuses_images_of_one_class(name: str) -> None:
    with pytest.raises(
        UsageError, match="need images of several classes, but all images are of the class image; put the images into"
    ):
        variants.find(name)(DataSpec.of_images(channels=1, size=28, classes=("image",)))
