"""Values of other libraries: accepted everywhere, or rejected with one line."""

import copy
import multiprocessing
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from small_models import DIGIT, build_model

import gan_serve
from gan_serve import Failure, UsageError
from gan_serve.generator import Generator

THREE: list[object] = [np.array(3), np.int8(3), np.uint64(3), torch.tensor(3), torch.tensor(3, dtype=torch.uint8)]
NO_INTEGERS: list[object] = [True, np.True_, np.array(True), torch.tensor(True), np.array(3.0), torch.tensor(3.0), 3j]


@pytest.fixture(scope="module")
def digits(models: Path) -> Generator:
    return gan_serve.load("digits", models=models)


@pytest.fixture(scope="module")
def turned(models: Path) -> Generator:
    return gan_serve.load("turned", models=models)


@pytest.mark.parametrize(
    "three", [*THREE, np.array([3]), torch.tensor([[3]]), b"3", np.array("three"), [torch.tensor(3)]]
)
def test_a_label_may_be_of_any_library(digits: Generator, three: object) -> None:
    assert [item.inputs["label"] for item in digits.generate(label=three, seed=0).items] == [3]


@pytest.mark.parametrize("half", [np.array(0.5), np.float16(0.5), torch.tensor(0.5, requires_grad=True), b"0.5", "0.5"])
def test_a_number_may_be_of_any_library(turned: Generator, half: object) -> None:
    (item,) = turned.generate(tilt_angle=half, seed=0).items
    assert (item.inputs, type(item.inputs["tilt_angle"])) == ({"tilt_angle": 0.5}, float)


@pytest.mark.parametrize("three", THREE)
def test_an_integer_may_be_of_any_library(digits: Generator, three: Any, tmp_path: Path) -> None:
    result = digits.generate(three, label=1, seed=three, index=three)
    assert (len(result), result.seed, result.items[0].index) == (3, 3, 3)
    assert len(digits.generate(seed=three, walk_to=three, steps=three)) == 3
    assert result.grid(columns=three, scale=three).size == (72, 24)
    assert result.images(scale=three)[0].size == (24, 24)
    assert result.save(tmp_path / "x.png", scale=three, grid=True) == [tmp_path / "x.png"]


@pytest.mark.parametrize("value", NO_INTEGERS)
@pytest.mark.parametrize("name", ["label", "seed", "count", "index"])
def test_a_value_that_is_not_an_integer_is_rejected(digits: Generator, name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"^{name} .* (does not exist; use 0-9|is not an integer from).*$"):
        digits.generate(**{"label": 1, "seed": 0, name: value})


@pytest.mark.parametrize(
    "value", [True, torch.tensor(True), 3j, {"a": 1}, torch.tensor(float("nan")), np.array([None])]
)
def test_a_value_that_is_not_a_number_is_rejected(turned: Generator, value: object) -> None:
    with pytest.raises(UsageError, match=r"^tilt_angle .* is not a number from -1 to 1$"):
        turned.generate(tilt_angle=value)


class Odd:
    """What no library should be."""

    def tolist(self) -> object:
        raise RuntimeError("an error of its own")

    def __repr__(self) -> str:
        raise RuntimeError("an error of its own")


@pytest.mark.parametrize("value", [Odd(), torch.empty(2, device="meta"), torch.ones(2).to_sparse()])
def test_another_librarys_error_never_reaches_the_user(digits: Generator, value: Any) -> None:
    for ask in (
        lambda: digits.generate(label=value),
        lambda: digits.generate(seed=value),
        lambda: gan_serve.load(value),
        lambda: gan_serve.load("digits", models=value),
        lambda: digits.generate(seed=0).save(value),
    ):
        with pytest.raises(UsageError) as error:
            ask()
        assert "\n" not in str(error.value)


def test_paths_and_devices_may_be_of_any_type(models: Path, tmp_path: Path) -> None:
    generator = gan_serve.load("digits", device=torch.device("cpu"), models=bytes(models))  # type: ignore[arg-type]
    path = generator.generate(seed=0).save(bytes(tmp_path / "x.png"))  # type: ignore[arg-type]
    assert path == [tmp_path / "x.png"]
    with pytest.raises(UsageError, match="device 'None' does not exist; use auto, cpu"):
        gan_serve.load("digits", device=None, models=models)  # type: ignore[arg-type]


COPIES: list[Callable[[Generator], Generator]] = [
    copy.copy,
    copy.deepcopy,
    lambda generator: pickle.loads(pickle.dumps(generator)),
]


@pytest.mark.parametrize("copied", COPIES)
def test_a_generator_can_be_copied_and_pickled(digits: Generator, copied: Callable[[Generator], Generator]) -> None:
    np.testing.assert_array_equal(copied(digits).generate(seed=7).array, digits.generate(seed=7).array)


def test_a_generator_and_its_results_can_be_pickled(digits: Generator) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply(Generator.generate, (digits, 2), {"label": 3, "seed": 7})
    np.testing.assert_array_equal(result.array, digits.generate(2, label=3, seed=7).array)


def test_a_result_with_images_can_be_pickled(models: Path, tmp_path: Path) -> None:
    PILImage.new("RGBA", (9, 7), (10, 20, 30, 99)).save(tmp_path / "x.png")
    result = gan_serve.load("enlarger", models=models).generate(image=[tmp_path / "x.png", np.zeros((4, 4), np.uint8)])
    again = pickle.loads(pickle.dumps(result))
    assert again.encode("png", columns=1) == result.encode("png", columns=1)


def test_a_file_that_has_changed_is_not_loaded_again(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "digits", tmp_path / "digits")
    pickled = pickle.dumps(gan_serve.load("digits", models=tmp_path))
    path = tmp_path / "digits" / "1" / "model.onnx"
    other = build_model(DIGIT)
    other.doc_string = "trained again"
    path.write_bytes(other.SerializeToString())
    with pytest.raises(Failure, match=r"^.*model\.onnx has changed since this generator was loaded; load it again"):
        pickle.loads(pickled)
    path.unlink()
    with pytest.raises(Failure, match=r"^.*model\.onnx: the file is missing"):
        pickle.loads(pickled)
