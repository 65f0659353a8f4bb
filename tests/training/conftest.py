"""What tests of training share: 1,797 real digits that need no download, and the exporter's table of operators."""

import functools
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, Run
from sklearn.datasets import load_digits
from torch.onnx._internal.exporter._registration import ONNXRegistry

from training import variants
from training.__main__ import main
from training.data import loading
from training.data.dataset import Dataset

ROOT = Path(__file__).parents[2]

# PyTorch fills this table anew for every export, which takes half of the time that a small network's export takes.
ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))  # type: ignore[method-assign]


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
    return loading.load(str(digits_file))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `python -m training` in this process, which need not import PyTorch anew."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # which the command replaces

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Outcome(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def add_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Save a variant's source under its name among the others, in a copy of their folder."""
    added: list[str] = []

    def add(name: str, source: str) -> None:
        folder = tmp_path / "variants"
        shutil.copytree(Path(variants.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / f"{name}.py").write_text(source, "utf-8")
        monkeypatch.setattr(variants, "__file__", str(folder / "__init__.py"))
        monkeypatch.setattr(variants, "__path__", [*variants.__path__, str(folder)])
        added.append(name)

    yield add
    for name in added:
        sys.modules.pop(f"{variants.__name__}.{name}", None)
