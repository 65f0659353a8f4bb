import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_models import DIGIT, GREY, LATENT, metadata_of, save_model

import gan_serve
from gan_serve import Failure, UsageError
from gan_serve.repository import Repository, models_folder


def test_names(models: Path) -> None:
    repository = Repository(models)
    assert repository.names == gan_serve.list_models(models)
    assert repository.names == sorted(path.name for path in models.iterdir())


def test_variant_finds_its_default(models: Path) -> None:
    assert Repository(models).find("turned").metadata.name == "turned-grey"


def test_the_highest_version_is_the_default(tmp_path: Path) -> None:
    for version in (2, 10):
        save_model(tmp_path, metadata_of("many", (LATENT,), GREY, version=version))
    repository = Repository(tmp_path)
    assert repository.find("many").metadata.version == 10
    assert repository.find("many", 2).metadata.version == 2
    with pytest.raises(UsageError, match="use 2, 10"):
        repository.find("many", 3)


@pytest.mark.parametrize("name", ["digit", "../digits", "digits/1", "/etc", "", "DIGITS"])
def test_an_unknown_name_never_becomes_a_path(models: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no model"):
        Repository(models).find(name)


def test_suggestions_ignore_case(models: Path) -> None:
    for name, suggestion in (("DIGITS", "digits"), ("Digts", "digits"), ("Turned-Gray", "turned-grey")):
        with pytest.raises(UsageError, match=rf"no model '{name}' \(did you mean {suggestion}"):
            Repository(models).find(name)


def test_an_unknown_name_is_rejected_with_the_searched_folder(models: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        gan_serve.load("shapes", models=models)
    assert str(refusal.value) == (
        f"no model 'shapes'; gan-serve list shows the models in {models.resolve()}; "
        "name another folder with --models DIR or GAN_SERVE_MODELS"
    )


@pytest.mark.parametrize("named", ["models/digits/1", "models/digits", ""])
def test_a_folder_at_a_wrong_level_is_corrected(tmp_path: Path, named: str, caplog: pytest.LogCaptureFixture) -> None:
    save_model(tmp_path / "models", DIGIT)
    with pytest.raises(UsageError, match=rf"no models in .*; use --models {tmp_path.resolve()}/models$"):
        Repository(tmp_path / named).find("digits")
    assert caplog.messages == []


def test_a_model_without_a_version_folder_is_reported_and_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = save_model(tmp_path, DIGIT)
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "model.onnx").write_bytes(path.read_bytes())
    assert Repository(tmp_path).names == ["digits"]
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path.resolve()}/flat: its model.onnx is ignored")


def test_nearest_names(models: Path) -> None:
    with pytest.raises(UsageError, match="did you mean digits"):
        Repository(models).find("digit")
    with pytest.raises(UsageError, match="None is not a model name"):
        gan_serve.load(None)


def test_broken_file_hides_no_other(tmp_path: Path) -> None:
    save_model(tmp_path, DIGIT)
    save_model(tmp_path, metadata_of("broken", (LATENT,), GREY), b"\x08\x0a\x3a\xff\xff\x03")
    (tmp_path / "absent" / "1").mkdir(parents=True)
    (tmp_path / "README.md").write_text("gallery")
    found, failures = Repository(tmp_path).read_all()
    assert [model.metadata.name for model in found] == ["digits"]
    assert [str(failure).split(": ")[1].split(" ")[2] for failure in failures] == ["is", "is"]
    assert "missing" in str(failures[0])
    assert "truncated" in str(failures[1])


def test_a_folder_that_vanishes_hides_no_other(tmp_path: Path) -> None:
    save_model(tmp_path, DIGIT)
    for number in range(200):  # which take their time
        (tmp_path / f"empty{number}").mkdir()
    come_and_go = "import os\nwhile True: os.mkdir('other'); os.rmdir('other')"
    with subprocess.Popen([sys.executable, "-c", come_and_go], cwd=tmp_path) as other:
        until = time.monotonic() + 1
        try:
            while time.monotonic() < until:
                assert Repository(tmp_path).names == ["digits"]
        finally:
            other.kill()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_without_permission_is_reported_and_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As `lost+found` is, where the models have a disk of their own."""
    save_model(tmp_path, DIGIT)
    (tmp_path / "lost+found").mkdir(0)
    assert Repository(tmp_path).names == ["digits"]
    assert caplog.messages == [f"{tmp_path}/lost+found: no permission to look for models there"]


def test_file_in_the_wrong_folder(tmp_path: Path) -> None:
    save_model(tmp_path, DIGIT).parent.parent.rename(tmp_path / "letters")
    with pytest.raises(Failure, match="move it to digits/1"):
        Repository(tmp_path).find("letters")


def test_links_out_of_the_folder_and_hard_links_are_refused(tmp_path: Path) -> None:
    path = save_model(tmp_path / "elsewhere", DIGIT)
    for link, name in ((os.symlink, "soft"), (os.link, "hard")):
        target = tmp_path / name / "digits" / "1" / "model.onnx"
        target.parent.mkdir(parents=True)
        link(path, target)
        with pytest.raises(Failure, match="link"):
            Repository(tmp_path / name).find("digits")


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    save_model(tmp_path / "..data", DIGIT)  # as Kubernetes mounts a volume
    (tmp_path / "digits").symlink_to("..data/digits")
    assert Repository(tmp_path).find("digits").metadata == DIGIT


@pytest.mark.timeout(10)
def test_a_path_that_is_not_a_regular_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "pipe" / "1").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe" / "1" / "model.onnx")
    with pytest.raises(Failure, match="not a regular file"):
        Repository(tmp_path).find("pipe")


def test_the_folder_is_the_argument_the_environment_or_the_shipped_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GAN_SERVE_MODELS", "/from/environment")
    assert models_folder(tmp_path) == tmp_path
    assert models_folder() == Path("/from/environment")
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("GAN_SERVE_MODELS", "~/models")
    assert models_folder() == models_folder("~/models") == Path("/home/ada/models")
    assert models_folder("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    monkeypatch.delenv("GAN_SERVE_MODELS")
    assert models_folder().name == "models"


def test_no_folder_and_no_models(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no models folder"):
        Repository(tmp_path / "absent")
    with pytest.raises(UsageError, match="no models in"):
        Repository(tmp_path).find("digits")
