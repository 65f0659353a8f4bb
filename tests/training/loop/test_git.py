"""The commit of the running code, in a real git checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from training.loop import git as provenance


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Both packages, with one file each."""
    for package in ("training", "training/loop", "gan_serve"):
        (tmp_path / package / "variants").mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("")
    shutil.copy(provenance.__file__, tmp_path / "training" / "loop")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "All")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def commit(folder: Path) -> str:
    code = "from training.loop import git; print(git.commit())"
    return subprocess.run(
        [sys.executable, "-Bc", code], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("file", ["training/__init__.py", "gan_serve/__init__.py", "training/variants/new.py"])
def test_changed_and_new_code_is_marked(checkout: Path, file: str) -> None:
    (checkout / "training" / "judge.onnx").write_bytes(b"of data of one's own")
    before = commit(checkout)
    assert len(before) == 12
    (checkout / file).write_text("changed = True")
    assert commit(checkout) == f"{before}+changes"
