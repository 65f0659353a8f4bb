"""The wheel, outside a checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_the_serving_package_and_every_model_and_no_training(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    models = {path.relative_to(ROOT / "models").as_posix() for path in (ROOT / "models").glob("*/*/model.onnx")}
    assert {f"gan_serve/models/{model}" for model in models} <= set(names)
    assert not [name for name in names if name.startswith(("training/", "tests/"))]
    assert "gan_serve/py.typed" in names


def test_it_generates_outside_a_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GAN_SERVE")}

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        environment = clean | {"PYTHONPATH": str(site)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    assert str(site) in python("-c", "import gan_serve; print(gan_serve.__file__)"), "it is the wheel that runs"
    made = python("-m", "gan_serve", "generate", "--model", "acgan", "--label", "3", "--seed", "0")
    assert (tmp_path / made.strip()).read_bytes().startswith(b"\x89PNG")
