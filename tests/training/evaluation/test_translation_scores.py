"""Scores of images beside the truth, and a model that turns images into images published whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import gan_serve
from gan_serve.repository import Repository
from training import variants
from training.__main__ import app
from training.data.camvid_labels import COLOURS
from training.data.dataset import Dataset
from training.evaluation import classifier as judges
from training.evaluation import figures
from training.evaluation.segmenter import Segmenter, make_segmenter
from training.gan import EvaluationCase
from training.loop import runs
from training.loop.runs import Run
from training.publishing import publish

NOISE = torch.rand(12, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_what_is_the_truth_has_the_best_scores() -> None:
    assert figures.psnr(NOISE, NOISE) == 60
    assert figures.ssim(NOISE, NOISE) == pytest.approx(1)
    assert figures.retrieval(NOISE, NOISE) == figures.sharpness(NOISE, NOISE) == 1


def test_scores_fall_with_what_is_wrong() -> None:
    assert figures.psnr(NOISE, NOISE + 0.2) == pytest.approx(20, abs=0.01)
    assert figures.retrieval(NOISE.roll(1, dims=0), NOISE) == 0
    assert figures.sharpness(torch.nn.functional.avg_pool2d(NOISE, 3, 1, 1), NOISE) < 0.5


def test_patches_cover_an_image_once() -> None:
    found = figures.patches(NOISE)
    assert found.shape == (48, 3, 32, 32)
    assert torch.equal(found[1], NOISE[0, :, :32, 32:])


def test_what_images_show_finds_their_partners() -> None:
    characters = Dataset("lpc", torch.zeros(12, 3, 64, 64).byte(), torch.zeros(12).long(), ("0",), "", "")
    trial, measure = EvaluationCase({}, NOISE, ()), figures.FIGURES["feature_retrieval"].measure
    assert measure(figures.Outcome(NOISE, trial, characters, characters)) == 1
    assert measure(figures.Outcome(NOISE.roll(1, dims=0), trial, characters, characters)) == 0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares in one of four colours, and beside each its outline; painted streets, of which photos are negatives."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    arrays, streets = {"classes": np.array(["red", "green", "blue", "grey"])}, {}
    colours = np.array([(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90)], np.uint8)
    palette = np.array(list(COLOURS.values()), np.uint8)
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
        patch.setattr(judges, "FOLDER", data / "judges")
        (data / "judges").mkdir()
        judges.make_judge(str(data / "squares.npz"), epochs=40)
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
    runs.play(Run(name, recipe, str(source)), folder / name, resume=False, device="cpu")
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
    assert "From top to bottom what goes in" in card
    assert "reproduce" not in card
    assert "gan-serve generate --model pix2pix --image image.png" in card


def test_it_ships_images_of_the_test_to_be_tried_with(published: Path, data: Path) -> None:
    paths = sorted((published / "pix2pix" / "examples").iterdir())
    assert [path.name for path in paths] == ["1.png", "2.png", "3.png", "4.png"]
    with np.load(data / "squares.npz") as arrays, Image.open(paths[0]) as first, Image.open(paths[3]) as last:
        assert np.array_equal(np.asarray(first), arrays["test_line_images"][0])
        assert np.array_equal(np.asarray(last), arrays["test_line_images"][-1])
    assert gan_serve.load("pix2pix", models=published).generate(image=paths[0])


def test_its_scores_are_told_again(published: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "FOLDER", data / "judges")
    arguments = ["evaluate", "pix2pix", "--models", str(published), "--data", str(data / "squares.npz")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "psnr" in done.output
    assert "was" not in done.output


def test_a_segmenter_sees_what_is_painted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "FOLDER", data)
    path, accuracy = make_segmenter(str(data / "streets.npz"), epochs=12)
    assert path == data / "streets-maps.onnx"
    assert accuracy > 0.5
    with pytest.raises(gan_serve.UsageError, match=r"no judge for streets; .* train one with"):
        judges.EvaluationClassifier("streets")
    assert Segmenter("streets").look(NOISE[:3, :, :16, :16]).shape == (3, 16, 16)
