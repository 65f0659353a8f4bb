"""From a training to a scored and described model, with real digits of 8x8 pixels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import gan_serve
from gan_serve.repository import Repository
from gan_serve.schema import decode
from training import variants
from training.__main__ import app
from training.evaluation import classifier
from training.evaluation.classifier_training import make_classifier
from training.evaluation.evaluate import evaluate
from training.experiments.study import Record
from training.loop import runs
from training.loop.runs import Run
from training.publishing import publish as publishing
from training.variants.infogan import InfoGAN


def score_quickly(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Use classifiers in a folder of their own, and fewer images."""
    patch.setattr(classifier, "FOLDER", folder)
    patch.setattr(runs, "SNAPSHOTS", 2)
    patch.setattr("training.evaluation.generation.IMAGES", 1_000)
    patch.setattr("training.evaluation.generation.CLASSIFIER_EPOCHS", 2)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, digits_file: Path) -> Path:
    """A folder of models with an AC-GAN of the small digits, trained for a moment."""
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        score_quickly(patch, folder / "judges")
        (folder / "judges").mkdir()
        _, accuracy = make_classifier(str(digits_file), epochs=10)
        assert accuracy > 0.9
        publishing.publish(train("acgan", 300, digits_file, folder), folder / "models", name="acgan-digits", version=2)
    return folder / "models"


def train(variant: str, steps: int, data: Path, folder: Path) -> runs.Trained:
    recipe = type(variants.find(variant).recipe)(dataset="digits", steps=steps, batch_size=32, image_size=8)
    (folder / variant).mkdir()
    runs.train(Run(variant, recipe, str(data)), folder / variant, resume=False, device="cpu")
    return runs.load_trained(folder / variant, variant)


def test_a_published_model_is_whole(published: Path) -> None:
    files = {str(path.relative_to(published)) for path in published.rglob("*") if path.is_file()}
    assert files == {f"acgan-digits/{name}" for name in ("2/model.onnx", "README.md", "sample.png")}


def test_it_generates_and_records_its_origin(published: Path) -> None:
    generator = gan_serve.load("acgan-digits", models=published)
    assert generator.generate(label="0-9", count=2, seed=0).array.shape == (20, 1, 8, 8)
    metadata = generator.metadata
    assert not metadata.default, "a further training of a variant is not its default"
    assert (metadata.training.steps, metadata.training.batch_size, metadata.data.images) == (300, 32, 1500)
    assert metadata.training.processor_seconds > 0  # type: ignore[operator]
    assert metadata.training.duration_seconds > 0


def test_scores_stand_beside_real_data_and_the_untrained_generator(published: Path) -> None:
    scores = {score.name: score for score in gan_serve.load("acgan-digits", models=published).metadata.scores}
    assert {"fcd", "label_accuracy", "intra_class_diversity", "gan_train", "precision", "recall"} <= set(scores)
    fcd, accuracy = scores["fcd"], scores["label_accuracy"]
    assert fcd.real is not None
    assert fcd.control is not None
    assert max(fcd.real, fcd.value) < fcd.control / 2  # so few real images are as far from each other
    assert accuracy.control is not None
    assert accuracy.control < 0.3 < accuracy.value
    card = (published / "acgan-digits" / "README.md").read_text()
    assert f"| fcd | {fcd.value:g} | {fcd.real:g} | {fcd.control:g} |" in card


def test_the_learning_curve_falls_and_ends_at_the_score(published: Path) -> None:
    metadata = gan_serve.load("acgan-digits", models=published).metadata
    curve = metadata.learning_curve
    assert [milestone.step for milestone in curve] == [150, 300]
    assert curve[-1].fcd < curve[0].fcd
    assert curve[-1].fcd == next(score.value for score in metadata.scores if score.name == "fcd")
    assert set(curve[0].observed) == {"D(real)", "D(fake)"}
    assert f"| {curve[0].step} | {curve[0].fcd:g} |" in (published / "acgan-digits" / "README.md").read_text()


def test_the_sample_has_seed_0(published: Path) -> None:
    with Image.open(published / "acgan-digits" / "sample.png") as image:
        assert json.loads(image.text["gan_serve"])["seed"] == 0  # type: ignore[attr-defined]
        shown = np.asarray(image)
    grid = gan_serve.load("acgan-digits", models=published).generate(label="0-9", count=10, seed=0).grid(scale=2)
    assert np.array_equal(shown, np.asarray(grid))


def test_every_score_can_be_measured_again_from_the_files(
    published: Path, tmp_path: Path, digits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_quickly(monkeypatch, published.parent / "judges")
    shutil.copytree(published, tmp_path / "models")
    files = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    done = CliRunner().invoke(
        app, ["evaluate", "--all", "--models", str(tmp_path / "models"), "--data", str(digits_file)]
    )
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    assert {line.split()[0] for line in lines} == {"acgan-digits"}
    assert {"fcd", "label_accuracy", "gan_train"} <= {line.split()[1] for line in lines}
    assert "was" not in done.output
    assert {path: path.read_bytes() for path in files} == before


def test_a_test_set_may_have_more_images_than_are_scored(
    published: Path, digits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_quickly(monkeypatch, published.parent / "judges")
    monkeypatch.setattr("training.evaluation.generation.IMAGES", 100)
    metadata = evaluate(Repository(published).find("acgan-digits"), str(digits_file))
    assert "100 images of seed 1 against 100 test images" in metadata.scores_protocol
    assert next(score.value for score in metadata.scores if score.name == "intra_class_diversity") > 0.5


def test_a_training_is_scored_without_being_published(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_quickly(monkeypatch, published.parent / "judges")
    path, run = tmp_path / "records" / "acgan-0.json", published.parent / "acgan"
    done = CliRunner().invoke(app, ["score", "acgan", "--output", str(run), "--to", str(path)])
    assert done.exit_code == 0, done.output
    found, trained = decode(Record, json.loads(path.read_bytes())), runs.load_trained(run, "acgan")
    assert found.training == trained.training
    assert {"D(real)", "D(fake)"} <= found.training.observed.keys()
    assert found.parameters == sum(weights.numel() for weights in trained.gan.parameters())
    shipped = gan_serve.load("acgan-digits", models=published).metadata
    assert found.scores == {"acgan": {score.name: score.value for score in shipped.scores}}


def learned_names(gan: InfoGAN) -> list[str]:
    """As if the first code were named by the training."""
    normalised = gan.generator.body[2]
    assert isinstance(normalised, torch.nn.BatchNorm2d)
    return ["slant" if int(normalised.num_batches_tracked or 0) else "first_code", "second_code"]


def test_a_code_has_an_image_of_its_sweep_and_recognition_has_an_error(
    published: Path, tmp_path: Path, digits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_quickly(monkeypatch, published.parent / "judges")
    monkeypatch.setattr(runs, "SNAPSHOTS", 1)
    monkeypatch.setattr(InfoGAN, "code_names", learned_names)
    files = publishing.publish(train("infogan", 100, digits_file, tmp_path), tmp_path / "models")
    drawing, recognition = (Repository(tmp_path / "models").find(f"infogan{part}").metadata
                            for part in ("", "-recognition"))  # fmt: skip
    codes = [scalar.name for scalar in drawing.scalars]
    assert codes == ["slant", "second_code"]
    images = {path.name for path in files if path.suffix == ".png" and path.parent.name == "infogan"}
    assert images == {"sample.png", *(f"{code}.png" for code in codes)}
    assert {"fcd", "slant_correlation", "width_correlation"} <= {score.name for score in drawing.scores}
    assert "label_accuracy" not in {score.name for score in drawing.scores}, "a category is no label"
    (error,) = recognition.scores
    assert error.name == "clustering_error"
    assert 0 < error.value < error.control  # type: ignore[operator]
    assert [tensor.name for tensor in recognition.outputs] == ["category", *codes]
    assert "sample.png" not in (tmp_path / "models" / "infogan-recognition" / "README.md").read_text()
    assert len(list((tmp_path / "models" / "infogan-recognition" / "examples").glob("*.png"))) == 4


def test_a_renamed_model_has_all_of_its_variants_scores(
    published: Path, tmp_path: Path, digits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_quickly(monkeypatch, published.parent / "judges")
    monkeypatch.setattr(runs, "SNAPSHOTS", 1)
    publishing.publish(train("biggan", 4, digits_file, tmp_path), tmp_path / "models", name="biggan-digits")
    scores = {score.name for score in Repository(tmp_path / "models").find("biggan-digits").metadata.scores}
    assert {"fcd", "precision_0.5", "recall_0.5"} <= scores


def test_evaluate_requires_one_model_or_all() -> None:
    for arguments in ([], ["acgan", "--all"]):
        done = CliRunner().invoke(app, ["evaluate", *arguments])
        assert isinstance(done.exception, gan_serve.UsageError)
        assert "give the name of one model, or use --all" in str(done.exception)


def test_a_failed_publication_changes_nothing(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published, tmp_path / "models")
    before = {path: path.read_bytes() for path in (tmp_path / "models").rglob("*") if path.is_file()}
    trained = runs.load_trained(published.parent / "acgan", "acgan")
    with pytest.raises(gan_serve.UsageError, match="no evaluation classifier for digits"):
        publishing.publish(trained, tmp_path / "models", name="acgan-digits", version=2)
    assert {path: path.read_bytes() for path in (tmp_path / "models").rglob("*") if path.is_file()} == before
