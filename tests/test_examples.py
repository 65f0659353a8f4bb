"""The examples run as documented, and draw what they promise."""

import contextlib
import functools
import io
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
Example = Callable[[str], tuple[str, Path]]
SMALL = {"one_dimension.py": "--steps 600", "ring.py": "gan lsgan --steps 20"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Run an example once, in this process, and return its output and the file that it draws."""

    @functools.cache
    def run(example: str) -> tuple[str, Path]:
        drawing, printed = tmp_path_factory.mktemp("example") / "drawing.png", io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
            patch.setattr(sys, "argv", [example, *SMALL[example].split(), "--output", str(drawing)])
            runpy.run_path(str(ROOT / "examples" / example), run_name="__main__")
        return printed.getvalue(), drawing

    return run


@pytest.mark.parametrize("example", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_every_example_makes_an_image(run: Example, example: str) -> None:
    assert example in SMALL, f"give {example} a small size in SMALL"
    with Image.open(run(example)[1]) as image:
        assert len(image.convert("RGB").getcolors(2**24) or []) > 10


def test_uniform_noise_becomes_a_normal_distribution(run: Example) -> None:
    output, drawing = run("one_dimension.py")
    mean, deviation = (float(number) for number in output.split(": ")[1].split(",")[0].split(" ± "))
    assert mean == pytest.approx(4, abs=0.6)
    assert 0.6 < deviation < 2
    with Image.open(drawing) as image:
        assert image.width > 4 * image.height, "six panels side by side"


def test_the_ring_counts_the_modes_of_each_variant(run: Example) -> None:
    lines = run("ring.py")[0].splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["gan", "lsgan"]
    assert all(line.endswith("of 8 modes") for line in lines[:2])
