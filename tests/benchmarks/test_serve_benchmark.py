"""Tests of the server benchmark's tools; the suite does not install the peers."""

import shutil
import sys
from pathlib import Path

import pytest

import gan_serve
from gan_serve.errors import UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_the_painter_makes_the_bytes_of_gan_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from painter import Painter

    shutil.copytree(ROOT / "models" / "dcgan", tmp_path / "dcgan")
    monkeypatch.setenv("GAN_SERVE_MODELS", str(tmp_path))
    expected = gan_serve.load("dcgan", device="cpu").generate(seed=7).encode("png")
    assert Painter().paint(7) == expected


def test_a_server_and_its_child_processes_are_ended(tmp_path: Path) -> None:
    from processes import family, processor_seconds, running

    works = "any(time.process_time() > 0.1 for _ in iter(int, 1))"  # the system counts in hundredths of a second
    waits = "child = subprocess.Popen(['sleep', '100']); print('started', flush=True); child.wait()"
    with running([sys.executable, "-c", f"import subprocess, time; {works}; {waits}"], tmp_path, {}) as process:
        while "started" not in (tmp_path / "log").read_text():
            assert process.poll() is None
        server, child = family(process.pid)
        assert processor_seconds(server) > 0
    assert not Path(f"/proc/{server}").exists()
    assert family(child) == [child]
    assert processor_seconds(child) == 0


def test_tables_are_written_between_the_marker_lines_of_a_page(tmp_path: Path) -> None:
    from report import END, START, Page

    path = tmp_path / "page.md"
    path.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    Page(path).fill_in("new")
    assert path.read_text() == f"before\n{START}\nnew\n{END}\nafter\n"
    path.write_text("a page without them")
    with pytest.raises(UsageError, match="needs the lines"):
        Page(path)
    assert START in (ROOT / "docs" / "performance.md").read_text()
