"""The examples run as their first lines say, and draw what they promise."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]


def run(example: str, *arguments: object) -> str:
    command = [sys.executable, ROOT / "examples" / example, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def test_uniform_noise_becomes_a_normal_distribution(tmp_path: Path) -> None:
    said = run("one_dimension.py", "--steps", 600, "--output", tmp_path / "one.png")
    mean, deviation = (float(number) for number in said.split(": ")[1].split(",")[0].split(" ± "))
    assert mean == pytest.approx(4, abs=0.6)
    assert 0.6 < deviation < 2
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.width > 4 * picture.height, "six panels side by side"


def test_the_ring_counts_the_modes_of_each_variant(tmp_path: Path) -> None:
    said = run("ring.py", "gan", "lsgan", "--steps", 200, "--output", tmp_path / "ring.png").splitlines()
    assert [line.split(":")[0] for line in said[:2]] == ["gan", "lsgan"]
    assert all(line.endswith("of 8 modes") for line in said[:2])
    with Image.open(tmp_path / "ring.png") as picture:
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 10
