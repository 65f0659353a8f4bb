import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.loop import runs

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("two_processes.py")
TORCHRUN = Path(__file__).with_name("torchrun.py")


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_two_processes_end_with_the_same_weights_as_one_on_the_whole_batch(tmp_path: Path, digits_file: Path) -> None:
    run(sys.executable, SCRIPT, digits_file, tmp_path)
    first, second, alone = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("0", "1", "alone"))
    assert first["weights"] == second["weights"]
    assert first["losses"] != second["losses"], "each process sees its own share"
    assert first["weights"] == pytest.approx(alone["weights"], abs=1e-5)
    mean = [(one + other) / 2 for one, other in zip(first["losses"], second["losses"], strict=True)]
    assert mean == pytest.approx(alone["losses"], rel=1e-4)


def test_torchrun_trains_a_variant_with_one_writer(tmp_path: Path, digits_file: Path) -> None:
    arguments = (
        "train",
        "gan",
        "--data",
        digits_file,
        "--batch-size",
        8,
        "--steps",
        5,
        "-o",
        tmp_path,
        "--device",
        "cpu",
    )
    done = run(sys.executable, TORCHRUN, *arguments)
    assert done.stdout.splitlines() == [str(tmp_path / "checkpoint.pt")]
    assert len(list((tmp_path / "tensorboard").glob("events*"))) == 1
    assert runs.load_trained(tmp_path, "gan").training.images_seen == 2 * 5 * 8
