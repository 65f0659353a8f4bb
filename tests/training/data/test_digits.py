"""MNIST-M: digits before patches of photos, and the clean digits beside them."""

from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training.data import loading, prepare


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Some digits, and twelve photos of one colour each, in levels of ten."""
    random = np.random.default_rng(0)
    digits = {f"{part}_images": random.integers(256, size=(40, 28, 28), dtype=np.uint8) for part in ("train", "test")}
    labels = {f"{part}_labels": np.arange(40) % 10 for part in ("train", "test")}
    (tmp_path / "photos" / "images" / "train").mkdir(parents=True)
    for number in range(12):
        Image.new("RGB", (50, 40), (10 * number,) * 3).save(tmp_path / "photos" / "images" / "train" / f"{number}.jpg")
    np.savez(tmp_path / "mnist.npz", **digits, **labels)
    return tmp_path


def test_a_digit_is_the_difference_from_a_patch_of_a_photo(source: Path, tmp_path: Path, command: Run) -> None:
    done = command("prepare", "mnist_m", source, "--output", tmp_path / "mnist_m.npz")
    assert done.code == 0, done.error
    photos = {}
    for part in ("train", "test"):
        dataset = loading.load(str(tmp_path / "mnist_m.npz"), part, views=["photo"])  # type: ignore[arg-type]
        digits, shown = dataset.images.short(), dataset.views["photo"].short()
        assert dataset.labels.tolist() == [number % 10 for number in range(40)]
        grounds = np.array(
            [
                next(level for level in range(0, 120, 10) if ((digits - level).abs() - each).abs().max() <= 2)
                for digits, each in zip(digits, shown, strict=True)
            ]
        )
        photos[part] = set(grounds.tolist())
    assert len(photos["train"]) > 5
    assert photos["test"]
    assert not photos["train"] & photos["test"], "the test has photos of its own"


def test_missing_files_are_named(source: Path, tmp_path: Path) -> None:
    (source / "mnist.npz").write_bytes(b"no digits")
    with pytest.raises(Failure, match=r"mnist.npz is not a file of MNIST's digits"):
        prepare.prepare("mnist_m", source, tmp_path / "mnist_m.npz", images=None, seed=0)
    (source / "mnist.npz").unlink()
    with pytest.raises(UsageError, match=r"contains no mnist.npz; put MNIST's digits there"):
        prepare.prepare("mnist_m", source, tmp_path / "mnist_m.npz", images=None, seed=0)
    assert not (tmp_path / "mnist_m.npz").exists()
