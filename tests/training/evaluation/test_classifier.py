"""The shipped evaluation classifiers, and how one is trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gan_serve.errors import UsageError
from training.__main__ import app
from training.data import loading
from training.data.catalog import SOURCES
from training.data.dataset import Dataset
from training.evaluation import classifier, classifier_training
from training.evaluation.classifier import EvaluationClassifier


@pytest.mark.parametrize(
    ("name", "accuracy"), [("mnist", 0.993), ("fashion_mnist", 0.92), ("nouns", 0.99), ("lpc", 0.99), ("cifar10", 0.8)]
)
def test_a_shipped_classifier_is_accurate_and_records_its_accuracy(name: str, accuracy: float) -> None:
    shipped, known = EvaluationClassifier(name), SOURCES[name]
    assert shipped.facts["data"] == name
    assert accuracy <= shipped.facts["test_accuracy"] <= 1
    prediction = shipped.predict(np.zeros((3, known.channels, known.size, known.size), np.float32))
    assert prediction.features.shape == (3, 128)
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_digits_in_colour_are_judged_by_the_classifier_of_grey_ones() -> None:
    colours = np.random.default_rng(0).uniform(-1, 1, (3, 3, 28, 28)).astype(np.float32)
    grey = EvaluationClassifier("mnist").predict(colours.mean(axis=1, keepdims=True))
    assert (EvaluationClassifier("mnist_m").predict(colours).features == grey.features).all()
    with pytest.raises(UsageError, match="of 28x28 pixels, grey, not of 32x32 pixels, RGB"):
        EvaluationClassifier("mnist_m").check((3, 32, 32))


def test_data_without_a_classifier_is_an_error_that_names_the_command_to_train_one() -> None:
    with pytest.raises(UsageError, match="train one with: python -m training judge usps"):
        EvaluationClassifier("usps")


def test_a_classifier_learns_the_traits_beside_the_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The left half of an image shows its label, the right half a trait that has nothing to do with it."""
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    label, trait = np.random.default_rng(0).integers(3, size=(2, 1_200))
    images = np.concatenate([np.broadcast_to(value[:, None, None], (1_200, 8, 4)) for value in (label, trait)], axis=2)
    arrays = {"images": (100 * images).astype(np.uint8), "labels": label, "traits": trait[:, None]}
    np.savez(tmp_path / "halves.npz", trait_names=["right"], right_names=["dark", "grey", "bright"], **arrays)
    path, accuracy = classifier_training.make_classifier(str(tmp_path / "halves.npz"), epochs=5)
    assert path == tmp_path / "halves.onnx"
    assert accuracy > 0.9
    assert EvaluationClassifier("halves").facts["trait_accuracy"]["right"] > 0.9


def test_the_classifier_of_a_folder_takes_images_of_the_size_of_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    for number in range(160):
        folder = tmp_path / "shades" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 20), 200 * (number % 2)).save(folder / f"{number}.png")
    done = CliRunner().invoke(app, ["judge", str(tmp_path / "shades"), "--image-size", "16", "--epochs", "1"])
    assert done.exit_code == 0, done.output
    assert EvaluationClassifier("shades").predict(np.zeros((2, 1, 16, 16), np.float32)).features.shape == (2, 128)
    with pytest.raises(
        UsageError, match="classifier of shades was trained on images of 16x16 pixels, grey, not of 28x28 pixels"
    ):
        EvaluationClassifier("shades").predict(np.zeros((2, 1, 28, 28), np.float32))


@pytest.mark.parametrize(("name", "distinct"), [("arrows", True), ("cifar10", False)])
def test_only_photos_are_mirrored(name: str, distinct: bool) -> None:
    """Left and right are classes that a mirror makes one."""
    images = torch.zeros(512, 3, 8, 8, dtype=torch.uint8)
    labels = torch.arange(512) % 2
    images[labels == 0, :, :, :4] = 255
    images[labels == 1, :, :, 4:] = 255
    data = Dataset(name, images, labels, ("left", "right"), "", "")
    accuracy = classifier_training.test_accuracy(classifier_training.train_classifier(data, epochs=5), data)
    assert (accuracy > 0.9) == distinct


def test_a_classifier_is_the_same_on_every_number_of_threads() -> None:
    images = torch.randint(256, (512, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    data = Dataset("noise", images, torch.arange(512) % 10, tuple("0123456789"), "", "")
    before = torch.get_num_threads()
    learned = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            learned.append(classifier_training.train_classifier(data, epochs=1))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    torch.testing.assert_close(learned[0].state_dict(), learned[1].state_dict(), rtol=0, atol=0)


def test_a_classifier_that_is_hardly_better_than_a_guess_raises_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    images = np.random.default_rng(0).integers(256, size=(240, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(240) % 4)
    _, accuracy = classifier_training.make_classifier(str(tmp_path / "noise.npz"), epochs=1)
    said = capsys.readouterr().err
    assert (
        f"warning: the evaluation classifier of noise recognises {accuracy:.2%} of the test set, and a constant guess"
        in said
    )


def test_the_printed_command_to_train_a_missing_classifier_works(tmp_path: Path) -> None:
    for number in range(24):
        folder = tmp_path / "my shades" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 20), 200 * (number % 2)).save(folder / f"{number}.png")
    source = str(tmp_path / "my shades")
    with pytest.raises(UsageError, match=f"judge '{source}' --image-size 16$"):
        EvaluationClassifier.of(loading.load(source, "test", 16), source)
