"""The variant in CONTRIBUTING.md, taken literally: saved, trained, exported, described and served."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Run

import gan_serve
from training import documents

ROOT = Path(__file__).parents[2]
NAME = "instance_noise"
(SOURCE,) = re.findall(r"\n```python\n(.*?)\n```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
(SECTION,) = re.findall(r"\n    ```markdown\n(.*?)\n    ```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
def saved(add_variant: Callable[[str, str], None]) -> None:
    """The example, saved among the other variants."""
    add_variant(NAME, f"{SOURCE}\n")


@pytest.mark.usefixtures("saved")
def test_the_example_trains_and_serves_an_image(command: Run, digits_file: Path, tmp_path: Path) -> None:
    output, models = ["--output", tmp_path / "run"], tmp_path / "models"
    short = ["--data", digits_file, "--steps", 3, "--batch-size", 8, "--set", "width=8", "--precision", "fp32"]
    for arguments in (["train", NAME, *short, *output], ["export", NAME, *output, "--models", models]):
        ended = command(*arguments)
        assert ended.code == 0, ended.error
    generator = gan_serve.load(NAME, models=models)
    assert generator.metadata.training.recipe["noise"] == 0.5
    (image,) = generator.generate(seed=0).images()
    assert image.size == (8, 8)
    assert len(set(image.tobytes())) > 1, "an image of one colour"


@pytest.mark.usefixtures("saved")
def test_its_section_has_the_lines_that_the_generated_pages_need(tmp_path: Path) -> None:
    for name in ("models", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "README.md", tmp_path)
    page = tmp_path / "docs" / "variants.md"
    section = "\n".join(line.removeprefix("    ") for line in SECTION.splitlines())
    page.write_text(f"{page.read_text('utf-8')}\n{section}\n", "utf-8")
    assert documents.write(tmp_path) == [page]
    assert "No model is published yet." in page.read_text("utf-8").partition(f"## {NAME}\n")[2]
