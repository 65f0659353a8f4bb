import dataclasses
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training.data import loading
from training.data.catalog import SOURCES
from training.data.dataset import Dataset

CPU = torch.device("cpu")


def write_npz(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)
    return str(path)


def test_an_npz_file_gives_its_split(digits_file: Path) -> None:
    train, test = loading.load(str(digits_file)), loading.load(str(digits_file), "test")
    assert (len(train.images), len(test.images)) == (1500, 297)
    assert train.images.shape[1:] == (1, 8, 8)
    assert train.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"drawings": np.zeros((4, 8, 8), np.uint8)}, "contains no array"),
        ({"images": np.zeros((4, 8, 8), np.float32)}, "not uint8"),
        ({"images": np.zeros((4, 8), np.uint8)}, "not uint8"),
        ({"images": np.zeros((4, 8, 6), np.uint8)}, "use square"),
        ({"images": np.zeros((4, 8, 8, 2), np.uint8)}, "use square"),
        ({"images": np.zeros((1, 8, 8), np.uint8)}, "has 1 image"),
        ({"images": np.zeros((0, 8, 8), np.uint8)}, "has 0 image"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.zeros(3, np.int64)}, "4 images need 4 integer labels"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.zeros(4)}, "4 images need 4 integer labels"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, -1, 0])}, "labels run from -1"),
        (
            {
                "images": np.zeros((4, 8, 8), np.uint8),
                "labels": np.array([0, 1, 2, 0]),
                "classes": np.array(["a", "b"]),
            },
            "but there are 2 classes",
        ),
    ],
)
def test_unusable_arrays_are_refused_in_one_line(tmp_path: Path, arrays: dict[str, np.ndarray], complaint: str) -> None:
    with pytest.raises(Failure, match=complaint) as caught:
        loading.load(write_npz(tmp_path / "data.npz", **arrays))
    assert "\n" not in str(caught.value)


def composed(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """Images with two traits, of two and three choices."""
    arrays = {
        "train_images": np.zeros((4, 8, 8), np.uint8), "train_traits": np.array([[0, 0], [1, 2], [0, 1], [1, 0]]),
        "trait_names": np.array(["hat", "coat"]), "hat_names": np.array(["none", "cap"]),
        "coat_names": np.array(["red", "green", "blue"]),
    }  # fmt: skip
    return arrays | changes


def test_traits_come_with_their_names_and_in_batches(tmp_path: Path) -> None:
    dataset = loading.load(write_npz(tmp_path / "data.npz", **composed()))
    assert dataset.traits
    assert dataset.traits.choices == {"hat": ("none", "cap"), "coat": ("red", "green", "blue")}
    batch = next(dataset.batches(4, seed=0, device=CPU))
    assert sorted(batch["traits"].tolist()) == [[0, 0], [0, 1], [1, 0], [1, 2]]


@pytest.mark.parametrize(
    "change",
    [
        {"train_traits": np.zeros((3, 2), np.int64)},
        {"train_traits": np.zeros((4, 2))},
        {"train_traits": np.full((4, 2), 2)},
        {"coat_names": np.array([], str)},
    ],
)
def test_traits_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    with pytest.raises(
        Failure, match=r"`train_traits` must hold, for each image, the number of a choice for each of hat, coat$"
    ):
        loading.load(write_npz(tmp_path / "data.npz", **composed(**change)))


def test_further_columns_come_in_batches_beside_their_images(tmp_path: Path) -> None:
    images = np.arange(12, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    numbers, words = np.arange(12, dtype=np.int64), np.arange(24, dtype=np.uint8).reshape(12, 2)
    columns = {"column_names": np.array(["number", "words"]), "number": numbers, "words": words}
    path = write_npz(tmp_path / "data.npz", images=images, **columns)
    train, test = loading.load(path), loading.load(path, "test")
    batch = next(train.batches(10, seed=0, device=CPU))
    assert batch["number"].dtype == torch.int64, "a column keeps its type"
    assert batch["words"].tolist() == [[2 * number, 2 * number + 1] for number in batch["number"].tolist()]
    assert ((batch["image"][:, 0, 0, 0] + 1) * 127.5).round().long().tolist() == batch["number"].tolist()
    assert sorted([*batch["number"].tolist(), *test.columns["number"].tolist()]) == list(range(12))


def test_a_column_of_another_length_is_refused(tmp_path: Path) -> None:
    arrays = {"images": np.zeros((12, 8, 8), np.uint8), "column_names": np.array(["word"]), "word": np.zeros(11)}
    with pytest.raises(Failure, match=r"^data: `word` has 11 values for 12 images$"):
        loading.load(write_npz(tmp_path / "data.npz", **arrays))


def test_a_damaged_npz_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(b"PK\x03\x04 this is no archive")
    with pytest.raises(Failure, match="not a readable"):
        loading.load(str(path))


def test_pickled_arrays_are_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="plain arrays"):
        loading.load(write_npz(tmp_path / "data.npz", images=np.array([{"a": 1}], dtype=object)))


def test_unknown_data_is_refused_with_the_known_names() -> None:
    with pytest.raises(UsageError, match="mnist, fashion_mnist, cifar10"):
        loading.load("nmist")


def test_a_folder_takes_images_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    Image.new("P", (40, 30), 3).save(tmp_path / "cat" / "palette.png")
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(tmp_path / "cat" / "transparent.png")
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(tmp_path / "dog" / "deep.png")
    Image.new("CMYK", (33, 64), (0, 200, 200, 0)).save(tmp_path / "dog" / "print.jpg")
    (tmp_path / "dog" / "broken.png").write_bytes(b"not an image")
    with pytest.warns(UserWarning, match=r"skipped 1 unreadable file: dog/broken\.png"):
        dataset = loading.load(str(tmp_path), image_size=28)
    assert dataset.classes == ("cat", "dog")
    assert sorted(dataset.labels.tolist()) == [0, 0, 1, 1]
    assert dataset.images.shape == (4, 3, 28, 28)
    cats, dogs = dataset.images[dataset.labels == 0], dataset.images[dataset.labels == 1]
    assert any((cat == 255).all() for cat in cats), "transparent parts are white"
    assert any((dog == 40_000 >> 8).all() for dog in dogs), "16-bit grey keeps its brightness"


def test_the_first_images_of_a_folder_are_of_every_class(tmp_path: Path) -> None:
    for label in range(4):
        (tmp_path / str(label)).mkdir()
        for number in range(50):
            Image.new("L", (8, 8), 60 * label).save(tmp_path / str(label) / f"{number}.png")
    one, same = (loading.load(str(tmp_path), image_size=8) for _ in range(2))
    assert one.labels[:50].bincount().min() > 5
    assert (one.images[:, 0, 0, 0] == 60 * one.labels).all()
    assert (one.labels == same.labels).all()


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of CIFAR-10 whose images are redder the higher their class; test images are also blue."""
    for split, blue in (("train", 0), ("test", 200)):
        for label, name in enumerate(SOURCES["cifar10"].classes):
            (tmp_path / "cifar10" / split / name).mkdir(parents=True)
            for number in range(2):
                image = Image.new("RGB", (40, 32), (20 * label, 0, blue))
                image.save(tmp_path / "cifar10" / split / name / f"{number}.jpg")
    monkeypatch.setenv("GAN_SERVE_DATA", str(tmp_path))
    return tmp_path / "cifar10"


def test_known_data_may_be_a_folder(photos: Path) -> None:
    for split, blue in (("train", 0), ("test", 200)):
        dataset = loading.load("cifar10", split, image_size=28)
        assert dataset.images.shape == (20, 3, 32, 32), "of its own size"
        assert (dataset.images[:, 0, 5, 5] - 20 * dataset.labels).abs().max() < 8
        assert (dataset.images[:, 2, 5, 5].int() - blue).abs().max() < 8
        assert (dataset.name, dataset.classes[9]) == ("cifar10", "truck")
        assert "Krizhevsky" in dataset.attribution


def test_a_file_of_known_data_takes_precedence_over_its_folder(photos: Path) -> None:
    images, labels = np.zeros((3, 32, 32, 3), np.uint8), np.zeros(3, np.int64)
    write_npz(photos.with_suffix(".npz"), train_images=images, train_labels=labels)
    assert len(loading.load("cifar10").images) == 3


def test_a_folder_with_other_classes_than_the_known_ones_is_refused(photos: Path) -> None:
    (photos / "train" / "frog").rename(photos / "train" / "toad")
    with pytest.raises(
        Failure, match=r"needs one subfolder for each of airplane, .*, truck; missing or unexpected: frog, toad$"
    ):
        loading.load("cifar10")


def test_a_folder_of_grey_images_has_one_channel(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("L", (9, 9), 80 * number).save(tmp_path / f"{number}.png")
    assert loading.load(str(tmp_path), image_size=8).images.shape == (3, 1, 8, 8)


def test_a_sixth_of_data_without_a_test_part_is_held_out(tmp_path: Path) -> None:
    """Image n is of brightness n, in a folder as in arrays."""
    images = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None, None], (60, 8, 8))
    for folder in ("images", "parts/train"):
        (tmp_path / folder).mkdir(parents=True)
        for number, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / folder / f"{number}.png")
    arrays = {"images": images, "line_images": images, "labels": np.arange(60)}
    write_npz(tmp_path / "whole.npz", **arrays)
    write_npz(tmp_path / "train.npz", **{f"train_{name}": array for name, array in arrays.items()})
    for source in ("images", "parts", "whole.npz", "train.npz"):
        views = ("line",) if source.endswith("npz") else ()
        train, test, same = (
            loading.load(str(tmp_path / source), split, image_size=8, views=views)  # type: ignore[arg-type]
            for split in ("train", "test", "test")
        )
        shades = test.images[:, 0, 0, 0]
        assert (len(train.images), len(test.images)) == (50, 10)
        both = torch.cat([train.images[:, 0, 0, 0], shades])
        assert both.sort()[0].tolist() == list(range(60)), "no image is in both"
        assert torch.equal(test.images, same.images)
        assert train.classes == test.classes
        assert not views or shades.tolist() == test.labels.tolist() == test.views["line"][:, 0, 0, 0].tolist()


def test_too_few_images_to_hold_some_out_are_refused(tmp_path: Path) -> None:
    source = write_npz(tmp_path / "few.npz", images=np.zeros((11, 8, 8), np.uint8))
    with pytest.raises(Failure, match="few: has no test part, and 11 images are too few to hold some out"):
        loading.load(source, "test")


def test_a_test_part_without_a_training_part_is_refused(photos: Path) -> None:
    shutil.rmtree(photos / "train")
    with pytest.raises(Failure, match=r"has the part test without the part train; put the training images into"):
        loading.load("cifar10")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no readable images"):
        loading.load(str(tmp_path))


def test_a_hub_data_set_is_read_through_the_datasets_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets as hub

    images = [Image.new("L", (28, 28), shade) for shade in (0, 100, 200)]
    features = hub.Features({"image": hub.Image(), "label": hub.ClassLabel(names=list("0123456789"))})
    table = hub.Dataset.from_dict({"image": images, "label": [7, 1, 3]}, features=features)
    (tmp_path / "repository").mkdir()
    table.to_parquet(tmp_path / "repository" / "train-00000-of-00001.parquet")
    monkeypatch.delenv("GAN_SERVE_DATA", raising=False)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    known = SOURCES["mnist"]
    there = dataclasses.replace(known, hub=str(tmp_path / "repository"))
    monkeypatch.setitem(SOURCES, "mnist", there)
    dataset = loading.load("mnist")
    assert dataset.labels.tolist() == [7, 1, 3]
    assert dataset.images[1].unique().tolist() == [100]


def test_every_image_occurs_once_per_epoch_and_a_later_start_sees_the_same(digits: Dataset) -> None:
    marked = Dataset(
        "marked", torch.zeros(64, 1, 8, 8, dtype=torch.uint8), torch.arange(64), tuple(map(str, range(64))), "", ""
    )
    stream = marked.batches(16, seed=3, device=CPU)
    labels = [next(stream)["label"] for _ in range(8)]
    assert sorted(torch.cat(labels[:4]).tolist()) == list(range(64))
    assert torch.cat(labels[:4]).tolist() != torch.cat(labels[4:]).tolist(), "each epoch has its own order"
    later = marked.batches(16, seed=3, device=CPU, first_step=6)
    assert torch.equal(next(later)["label"], labels[6])


def test_images_run_from_minus_one_to_one(digits: Dataset) -> None:
    image = next(digits.batches(64, seed=0, device=CPU))["image"]
    assert image.min() == -1
    assert image.max() == 1


def test_too_few_images_for_a_batch_are_refused(digits: Dataset) -> None:
    with pytest.raises(Failure, match="fewer than one batch of 2000"):
        next(digits.batches(2000, seed=0, device=CPU))


def test_labels_may_have_any_integer_type_and_be_a_column(tmp_path: Path) -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    for kind in (np.uint8, np.int32, np.uint64):
        column = np.array([[2], [0], [1], [2]], kind)
        path = write_npz(tmp_path / "column.npz", train_images=images, train_labels=column, test_images=images,
                         test_labels=column[:, 0])  # fmt: skip
        for split in ("train", "test"):
            assert loading.load(path, split).labels.tolist() == [2, 0, 1, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        (np.eye(4, dtype=np.uint8), r"not uint8 \(4, 4\); turn one-hot labels into numbers with labels.argmax"),
        (np.zeros(4), r"not float64 \(4,\); turn them into integers with labels.astype"),
        (np.array(["cat", "dog", "cat", "dog"]), r"not <U3 \(4,\); turn names into numbers with classes, labels = "),
    ],
)
def test_labels_of_another_kind_are_refused_with_a_remedy(tmp_path: Path, labels: np.ndarray, remedy: str) -> None:
    with pytest.raises(Failure, match=f"4 images need 4 integer labels, {remedy}"):
        loading.load(write_npz(tmp_path / "data.npz", images=np.zeros((4, 8, 8), np.uint8), labels=labels))


def parts(train: list[int], test: list[int], **others: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "train_images": np.zeros((len(train), 8, 8), np.uint8), "train_labels": np.array(train),
        "test_images": np.zeros((len(test), 8, 8), np.uint8), "test_labels": np.array(test), **others,
    }  # fmt: skip


def test_labels_without_names_become_classes_named_by_the_training_numbers(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "data.npz", **parts([1, 2, 10, 2], [2, 1, 1]))
    train, test = loading.load(path), loading.load(path, "test")
    assert train.classes == test.classes == ("1", "2", "10")
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1, 2, 1], [1, 0, 0])


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_that_only_the_test_part_has_are_refused_before_training(
    tmp_path: Path, split: Literal["train", "test"]
) -> None:
    path = write_npz(tmp_path / "data.npz", **parts([0, 1, 1], [0, 5]))
    with pytest.raises(
        Failure, match=r"data: the test part has the labels 5, which the training part lacks; that one has 0, 1$"
    ):
        loading.load(path, split)


@pytest.mark.parametrize("names", [["a", "a"], ["1", "01"]])
def test_classes_of_one_name_or_number_are_refused(tmp_path: Path, names: list[str]) -> None:
    path = write_npz(tmp_path / "data.npz", **parts([0, 1], [0, 1], classes=np.array(names)))
    with pytest.raises(Failure, match="have the same name or number"):
        loading.load(path)


def test_arrays_may_have_the_names_that_keras_gives_them(tmp_path: Path) -> None:
    x_train, x_test = np.full((4, 8, 8), 1, np.uint8), np.full((2, 8, 8), 2, np.uint8)
    y_train, y_test = np.array([[0], [1], [1], [0]], np.uint8), np.array([[1], [0]], np.uint8)
    path = write_npz(tmp_path / "data.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    train, test = loading.load(path), loading.load(path, "test")
    assert (train.images.unique().tolist(), train.labels.tolist()) == ([1], [0, 1, 1, 0])
    assert (test.images.unique().tolist(), test.labels.tolist()) == ([2], [1, 0])


def test_validation_images_are_scored_on_or_reported(tmp_path: Path) -> None:
    arrays = parts([0, 1, 1], [0, 1])
    as_validation = {name.replace("test", "val"): array for name, array in arrays.items()}
    path = write_npz(tmp_path / "val.npz", **as_validation)
    assert (len(loading.load(path).images), len(loading.load(path, "test").images)) == (3, 2)
    path = write_npz(tmp_path / "both.npz", **(as_validation | arrays))
    with pytest.warns(UserWarning, match=r"both.npz: skipped 2 validation images, since the test part is used for"):
        loading.load(path)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (
            np.zeros((4, 3, 8, 8), np.uint8),
            r"\(4, 3, 8, 8\) have their channels first; .* with images.transpose\(0, 2, 3, 1\)",
        ),
        (np.zeros((4, 8, 8), np.float32), r"not uint8 .*; values from 0 to 1 become bytes with \(255 \* images\)"),
    ],
)
def test_images_of_another_shape_or_type_are_refused_with_a_remedy(
    tmp_path: Path, images: np.ndarray, complaint: str
) -> None:
    with pytest.raises(Failure, match=complaint):
        loading.load(write_npz(tmp_path / "data.npz", images=images))


def test_two_sets_in_a_file_may_differ_in_size(tmp_path: Path) -> None:
    arrays = {"train_images": np.zeros((5, 8, 8), np.uint8), "train_horse_images": np.ones((9, 8, 8), np.uint8)}
    path = write_npz(tmp_path / "sets.npz", **arrays)
    dataset = loading.load(path, views=("horse",), pairs=False)
    assert (len(dataset.images), len(dataset.views["horse"]), dataset.pairs) == (5, 8, False), "one of nine is held out"
    with pytest.raises(Failure, match=r"sets: needs pairs: an \.npz file in which `train_horse_images`"):
        loading.load(path, views=("horse",))


def test_a_part_of_known_data_may_lack_a_class(photos: Path) -> None:
    shutil.rmtree(photos / "test" / "frog")
    frog = SOURCES["cifar10"].classes.index("frog")
    test = loading.load("cifar10", "test")
    assert frog not in test.labels.tolist()
    assert (test.classes, int(test.labels.max())) == (SOURCES["cifar10"].classes, 9)
