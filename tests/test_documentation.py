"""Every file that a page names exists; `make docs` checks the links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")] + sorted((ROOT / "docs").rglob("*.md"))
FILE = re.compile(r"`((?:benchmarks|deploy|docs|examples|gan_serve|tests|training)/[\w./-]+)`")
EXAMPLE = "training/variants/instance_noise.py"  # for the reader of CONTRIBUTING.md to write


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    names = set(FILE.findall(page.read_text("utf-8"))) - {EXAMPLE}
    assert not [name for name in names if not (ROOT / name).exists()]
