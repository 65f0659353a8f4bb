"""No command replaces the result of long work without --replace or --overwrite."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_models import DIGIT, build_model, save_model
from typer.testing import CliRunner

from gan_serve.errors import Failure, UsageError
from gan_serve.metadata import PROPERTY
from gan_serve.repository import Repository
from gan_serve.schema import decode
from training import export, variants
from training.__main__ import app
from training.evaluation import classifier
from training.experiments import records, stacked_mnist, zoo
from training.loop import runs
from training.loop.runs import Run
from training.publishing import publish


def call(*arguments: object) -> str:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False).stdout


def train(
    folder: Path, data: Path, *, steps: int = 2, seed: int = 0, width: int = 4, resume: bool = False
) -> runs.Trained:
    recipe = type(variants.find("dcgan").recipe)(dataset="digits", steps=steps, batch_size=8, width=width)
    runs.train(Run("dcgan", recipe, str(data), seed), folder, resume=resume, device="cpu")
    return runs.load_trained(folder, "dcgan")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen images that need no time."""
    path = tmp_path_factory.mktemp("small") / "squares.npz"
    images = np.random.default_rng(0).integers(256, size=(16, 8, 8), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(16) % 2)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, small: Path) -> Path:
    """The folder of a training of two steps."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder, small)
    return folder


def test_a_training_is_replaced_only_with_overwrite(trained: Path, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    before = (folder / "checkpoint.pt").read_bytes()
    again = ("train", "dcgan", "--data", small, "--batch-size", 8, "--steps", 1, "--device", "cpu", "-o", folder)
    with pytest.raises(UsageError, match=r"a training of dcgan, at step 2 of 2; go on with --resume, .*--overwrite"):
        call(*again)
    with pytest.raises(UsageError, match="use only one of them"):
        call(*again, "--overwrite", "--resume")
    assert (folder / "checkpoint.pt").read_bytes() == before
    call(*again, "--overwrite", "--set", "width=4")
    assert runs.load_trained(folder, "dcgan").training.steps == 1


def test_a_checkpoint_that_cannot_be_read_is_not_replaced_either(small: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(UsageError, match="a checkpoint that cannot be read; "):
        call("train", "dcgan", "--data", small, "--steps", 1, "-o", tmp_path)


def put(trained: runs.Trained, models: Path) -> Path:
    """A model as the training would export it, with a graph that nobody runs here."""
    ((_, metadata),) = publish.describe_all(trained, models)
    path = publish.file_of(models, metadata.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(export.with_property(build_model(DIGIT).SerializeToString(), PROPERTY, metadata.to_json()))
    return path


@pytest.mark.parametrize("command", ["export", "publish"])
def test_a_model_of_another_training_is_replaced_only_with_replace(trained: Path, tmp_path: Path, command: str) -> None:
    """It is refused at once: without an evaluation classifier of these images, `publish` would fail next."""
    models, file = tmp_path / "models", publish.file_of(tmp_path / "models", "dcgan")
    file.parent.mkdir(parents=True)
    shutil.copy(save_model(tmp_path / "other", DIGIT), file)
    before = file.read_bytes()
    arguments = (command, "dcgan", "--output", trained, "--models", models)
    with pytest.raises(UsageError, match=r"was made by another training: .* replace it with --replace, or .*--name"):
        call(*arguments)
    assert file.read_bytes() == before
    if command == "publish":
        with pytest.raises(UsageError, match="no evaluation classifier for squares"):
            call(*arguments, "--replace")
    else:
        call(*arguments, "--replace")
        assert Repository(models).find("dcgan").metadata.training == runs.load_trained(trained, "dcgan").training


def test_a_resumed_training_replaces_its_model_and_another_one_does_not(small: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    first = train(tmp_path / "run", small)
    put(first, models)
    put(first, models)
    presets = train(tmp_path / "run", small, steps=3, resume=True)
    put(presets, models)
    other_seed = train(tmp_path / "seed", small, steps=4, seed=1)
    other_networks = train(tmp_path / "networks", small, steps=4, width=6)
    for other in (first, other_seed, other_networks):
        with pytest.raises(UsageError, match="was made by another training: dcgan on 14 images of squares, 3 steps"):
            put(other, models)


def test_a_classifier_is_replaced_only_with_replace(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    (tmp_path / "squares.onnx").touch()
    with pytest.raises(UsageError, match=r"squares.onnx is there already; replace it with --replace, or rename"):
        call("judge", small, "--epochs", 1)


def test_a_classifier_of_other_data_of_the_same_name_is_refused(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "FOLDER", tmp_path)
    (tmp_path / "squares.onnx").touch()
    call("judge", small, "--epochs", 1, "--replace")
    other = tmp_path / "squares.npz"
    np.savez(other, images=np.zeros((16, 8, 8), np.uint8), labels=np.arange(16) % 3)
    trained = train(tmp_path / "run", other)
    with pytest.raises(UsageError, match=r"other data of that name, with the classes 0, 1; .*judge .*npz --replace"):
        publish.publish(trained, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_record_is_replaced_only_by_its_own_training(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(UsageError, match=r"notes.json is there already; .* choose another --to"):
        call("score", "dcgan", "--output", trained, "--to", tmp_path / "notes.json")
    with pytest.raises(UsageError, match="is a folder; name a file"):
        call("score", "dcgan", "--output", trained, "--to", tmp_path)


def test_the_records_of_a_comparison_are_kept(tmp_path: Path) -> None:
    kept = stacked_mnist.Coverage("dcgan", 5, 3, 1.0)
    stacked_mnist.record(kept, tmp_path, 0, replace=False)
    with pytest.raises(UsageError, match=r"dcgan-0.json is there already; .* --records"):
        stacked_mnist.check_records(["dcgan"], tmp_path / "runs", tmp_path, 0, replace=False)
    real = stacked_mnist.Coverage("real test digits", None, 900, 0.1)
    for _ in range(2):
        stacked_mnist.record(real, tmp_path, 0, replace=False)
    with pytest.raises(UsageError, match="is there already"):
        stacked_mnist.record(stacked_mnist.Coverage("real test digits", None, 800, 0.1), tmp_path, 0, replace=False)
    assert decode(stacked_mnist.Coverage, records.read(dict, tmp_path / "real-test-digits-0.json")).modes == 900


def test_the_zoo_replaces_foreign_models_only_with_replace(tmp_path: Path) -> None:
    file = publish.file_of(tmp_path, "ebgan-energy")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"of somebody")
    with pytest.raises(UsageError, match=r"ebgan-energy.*was not made by a training; replace it with --replace"):
        call("zoo", "ebgan", "--runs", tmp_path / "runs", "--models", tmp_path, "--device", "cpu")
    assert not (tmp_path / "runs").exists()
    assert "--replace" in zoo.publication("ebgan", tmp_path / "runs", tmp_path, replace=True).ending


def test_a_data_set_is_replaced_only_with_replace(tmp_path: Path) -> None:
    (tmp_path / "nouns.npz").touch()
    with pytest.raises(UsageError, match=r"nouns.npz is there already; replace it with --replace, or .*--output"):
        call("prepare", "nouns", tmp_path, "-o", tmp_path / "nouns.npz")
    with pytest.raises(UsageError, match=r"data sets are .npz files"):
        call("prepare", "nouns", tmp_path, "-o", tmp_path / "nouns")


def test_a_handwritten_page_is_kept(tmp_path: Path) -> None:
    from training import documents

    root = Path(__file__).parents[3]
    for name in ("docs", "README.md"):
        (shutil.copytree if (root / name).is_dir() else shutil.copy)(root / name, tmp_path / name)
    save_model(tmp_path / "models", DIGIT)
    (tmp_path / "models" / DIGIT.name / "README.md").write_text("My own words.")
    with pytest.raises(Failure, match="was not generated, and would be replaced"):
        documents.write(tmp_path)
    assert (tmp_path / "models" / DIGIT.name / "README.md").read_text() == "My own words."
