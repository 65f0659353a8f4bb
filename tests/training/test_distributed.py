import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("two_processes.py")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


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


def results(output: str) -> list[dict[str, Any]]:
    found = [json.loads(line.partition("RESULT ")[2]) for line in output.splitlines() if "RESULT " in line]
    return sorted(found, key=lambda result: result["rank"])


def test_two_processes_end_with_the_same_weights_as_one_on_the_whole_batch(digits_file: Path) -> None:
    first, second = results(run(*TORCHRUN, SCRIPT, digits_file, 16).stdout)
    (alone,) = results(run(sys.executable, SCRIPT, digits_file, 32).stdout)
    assert first["weights"] == second["weights"]
    assert first["weights"] == pytest.approx(alone["weights"], abs=1e-4)
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
    done = run(*TORCHRUN, "-m", "training", *arguments)
    assert done.stdout.splitlines() == [str(tmp_path / "checkpoint.pt")]
    assert len(list((tmp_path / "tensorboard").glob("events*"))) == 1
