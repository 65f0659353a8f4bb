"""Scores of images beside the truth, and an image-to-image model from its training to its publication."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import gan_serve
from gan_serve.repository import Model, Repository
from training import variants
from training.__main__ import app
from training.data.dataset import Dataset
from training.data.palettes import CAMVID
from training.evaluation import classifier, image_to_image
from training.evaluation.classifier_training import make_classifier
from training.evaluation.context import Evaluation
from training.evaluation.segmenter import Segmenter, make_segmenter
from training.loop import runs
from training.loop.runs import Run
from training.metrics.images import patches, psnr, retrieval, sharpness, ssim
from training.publishing import publish
from training.scoring import PATCH, EvaluationCase

NOISE = torch.rand(12, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_truth_has_the_best_scores() -> None:
    assert psnr(NOISE, NOISE) == 60
    assert ssim(NOISE, NOISE) == pytest.approx(1)
    assert retrieval(NOISE, NOISE) == sharpness(NOISE, NOISE) == 1


def test_errors_lower_the_scores() -> None:
    assert psnr(NOISE, NOISE + 0.2) == pytest.approx(20, abs=0.01)
    assert retrieval(NOISE.roll(1, dims=0), NOISE) == 0
    assert sharpness(torch.nn.functional.avg_pool2d(NOISE, 3, 1, 1), NOISE) < 0.5


def test_patches_cover_an_image_once() -> None:
    found = patches(NOISE, PATCH)
    assert found.shape == (48, 3, 32, 32)
    assert torch.equal(found[1], NOISE[0, :, :32, 32:])


def test_the_content_of_images_finds_their_partners() -> None:
    characters = Dataset("lpc", torch.zeros(12, 3, 64, 64).byte(), torch.zeros(12).long(), ("0",), "", "")
    gan = variants.find("discogan")(characters.spec)
    gan.evaluation_case = lambda part, dataset: EvaluationCase({}, NOISE, ())  # type: ignore[method-assign]
    model, measure = cast(Model, None), image_to_image.MEASURES["feature_retrieval"]
    context = Evaluation(model, model, gan, "", characters, characters, count=12)
    assert measure(context, NOISE) == 1
    assert measure(context, NOISE.roll(1, dims=0)) == 0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares in one of four colours, and beside each its outline; painted streets, of which photos are negatives."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    arrays, streets = {"classes": np.array(["red", "green", "blue", "grey"])}, {}
    colours = np.array([(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90)], np.uint8)
    palette = np.array(list(CAMVID.colours.values()), np.uint8)
    for part, count in (("train", 128), ("test", 24)):
        images, lines = (np.full((count, 16, 16, 3), 255, np.uint8) for _ in range(2))
        labels = np.arange(count) % 4
        for image, line, label in zip(images, lines, labels, strict=True):
            top, left = random.integers(1, 6, 2)
            line[top : top + 9, left : left + 9] = 60 * label
            line[top + 1 : top + 8, left + 1 : left + 8] = 255
            image[top : top + 9, left : left + 9] = colours[label]
        arrays |= {f"{part}_images": images, f"{part}_line_images": lines, f"{part}_labels": labels}
        maps = palette[np.kron(random.integers(0, 11, (count, 2, 2)), np.ones((1, 8, 8), int))]
        streets |= {f"{part}_map_images": maps, f"{part}_images": 255 - maps}
    np.savez(folder / "squares.npz", **arrays)
    np.savez(folder / "streets.npz", **streets)
    return folder


@pytest.fixture(scope="module")
def published(data: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "FOLDER", data / "judges")
        (data / "judges").mkdir()
        make_classifier(str(data / "squares.npz"), epochs=40)
        publish.publish(trained("pix2pix", data / "squares.npz", data, steps=120), data / "models")
    return data / "models"


def trained(name: str, source: Path, folder: Path, steps: int, **settings: object) -> runs.Trained:
    recipe = type(variants.find(name).recipe)(
        dataset=source.stem,
        steps=steps,
        batch_size=8,
        image_size=16,
        **settings or {"view": "line", "target": "colour"},
    )  # type: ignore[arg-type]
    (folder / name).mkdir()
    runs.train(Run(name, recipe, str(source)), folder / name, resume=False, device="cpu")
    return runs.load_trained(folder / name, name)


def test_a_translation_is_scored_beside_the_truth_and_the_untrained(published: Path) -> None:
    metadata = Repository(published).find("pix2pix").metadata
    scores = {score.name: score for score in metadata.scores}
    assert list(scores) == ["fcd", "label_accuracy", "l1", "psnr", "ssim", "retrieval", "sharpness"]
    for name in ("fcd", "l1", "psnr", "ssim"):
        score = scores[name]
        assert score.control is not None
        assert score.value > score.control if score.better == "higher" else score.value < score.control, score
    assert scores["label_accuracy"].real == 1
    assert scores["psnr"].real is None
    assert "24 test images" in metadata.scores_protocol
    assert metadata.learning_curve == ()


def test_its_sample_shows_input_output_and_truth(published: Path, data: Path) -> None:
    with Image.open(published / "pix2pix" / "sample.png") as image:
        shown = np.asarray(image)
    assert shown.shape == (3 * 16, 24 * 16, 3)
    with np.load(data / "squares.npz") as arrays:
        assert np.array_equal(shown[:16], np.concatenate(arrays["test_line_images"], axis=1))
        assert np.array_equal(shown[32:], np.concatenate(arrays["test_images"], axis=1))
    card = (published / "pix2pix" / "README.md").read_text()
    assert "From top to bottom: input, output and ground truth" in card
    assert "reproduce" not in card
    assert "gan-serve generate --model pix2pix --image image.png" in card


def test_it_ships_images_of_the_test_set_to_try_it_with(published: Path, data: Path) -> None:
    paths = sorted((published / "pix2pix" / "examples").iterdir())
    assert [path.name for path in paths] == ["1.png", "2.png", "3.png", "4.png"]
    with np.load(data / "squares.npz") as arrays, Image.open(paths[0]) as first, Image.open(paths[3]) as last:
        assert np.array_equal(np.asarray(first), arrays["test_line_images"][0])
        assert np.array_equal(np.asarray(last), arrays["test_line_images"][-1])
    assert gan_serve.load("pix2pix", models=published).generate(image=paths[0])


def test_its_scores_can_be_measured_again(published: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "FOLDER", data / "judges")
    arguments = ["evaluate", "pix2pix", "--models", str(published), "--data", str(data / "squares.npz")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "psnr" in done.output
    assert "was" not in done.output


def test_a_segmenter_predicts_the_painted_classes(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "FOLDER", data)
    path, accuracy = make_segmenter(str(data / "streets.npz"), epochs=12)
    assert path == data / "streets-maps.onnx"
    assert accuracy > 0.5
    with pytest.raises(gan_serve.UsageError, match=r"no evaluation classifier for streets; .* train one with"):
        classifier.EvaluationClassifier("streets")
    assert Segmenter("streets").predict(NOISE[:3, :, :16, :16]).shape == (3, 16, 16)
