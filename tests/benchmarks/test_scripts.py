"""Every script in `benchmarks/` runs at its smallest size; the measurements are meaningless."""

import dataclasses
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from small_models import DIGIT, ENLARGER, save_model

from training import variants
from training.loop import runs

ROOT = Path(__file__).parents[2]
SMALLEST = {
    "cold_start.py": "--models {models} --runs 1",
    "demo.py": "--models {models} --moves 1",
    "overfitting.py": "{run}",
    "serve.py": "--peers --sizes 16 --connections 1 --seconds 1 --rounds 1",
    "threads.py": f"{DIGIT.name} {ENLARGER.name} --models {{models}} --images 2 --side 16 --rounds 1",
    "train_speed.py": "--size 16 --width 2 --batch-size 8 --seconds 0.01 --rounds 1",
    "translate.py": f"{ENLARGER.name} --models {{models}} --size 8x8 --runs 1 --rounds 1",
}
STARTED_BY_OTHERS = {"bare.py", "callers.py"}  # serve.py starts both
SCRIPTS = {path.name for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text()}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model that draws from noise, and one that translates."""
    folder = tmp_path / "models"
    save_model(folder, DIGIT)
    save_model(folder, ENLARGER)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A short training on data with a test set."""
    images = np.random.RandomState(0).randint(256, size=(160, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", train_images=images[:80], test_images=images[80:])
    recipe = dataclasses.replace(variants.find("dcgan").recipe, steps=2, batch_size=8, width=2)
    run = runs.Run("dcgan", recipe, str(tmp_path / "noise.npz"))
    return runs.train(run, tmp_path, resume=False, device="cpu").parent


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Run a script in this process, which has already imported PyTorch."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    handler = signal.getsignal(signal.SIGTERM)

    def main(script: str, *options: str) -> None:
        monkeypatch.setattr(sys, "argv", [script, *options])
        runpy.run_path(str(ROOT / "benchmarks" / script), run_name="__main__")

    yield main
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize("script", sorted(SCRIPTS - STARTED_BY_OTHERS))
def test_every_benchmark_runs_at_its_smallest_size(
    script: str, main: Callable[..., None], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script in SMALLEST, f"give {script} its smallest size in SMALLEST"
    folders = {name: request.getfixturevalue(name) for name in ("models", "run") if f"{{{name}}}" in SMALLEST[script]}
    main(script, *SMALLEST[script].format_map(folders).split())
    assert len(capsys.readouterr().out.splitlines()) > 1
