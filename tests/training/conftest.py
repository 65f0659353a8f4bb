"""Real data that needs no download: scikit-learn's 1,797 handwritten digits of 8x8 pixels."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from training import datasets
from training.dataset import Dataset


@pytest.fixture(scope="session")
def digits_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bunch = load_digits()
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    images = (bunch.images * 255 / 16).astype(np.uint8)
    np.savez(path, train_images=images[:1500], train_labels=bunch.target[:1500],
             test_images=images[1500:], test_labels=bunch.target[1500:])  # fmt: skip
    return path


@pytest.fixture(scope="session")
def digits(digits_file: Path) -> Dataset:
    return datasets.load(str(digits_file))
