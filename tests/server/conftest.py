"""Servers and browsers that many tests share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PILImage
from playwright.sync_api import Browser, Page, expect, sync_playwright
from server_process import Server
from small_models import (
    CLASSIFIER,
    CROSSED,
    DIGIT,
    ENLARGER,
    INSPECTOR,
    MENDER,
    PLAIN,
    POSER,
    RETOUCHER,
    SHADER,
    SKETCHER,
    STYLED,
    save_model,
)


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[Server]:
    """The small models, with low limits."""
    with Server(models, max_count=16, max_body=300_000, max_pixels=100_000, admin_token="admin") as server:
        yield server


@pytest.fixture(scope="session")
def zoo() -> Iterator[Server]:
    """Every shipped model."""
    with Server(None) as server:
        yield server


@pytest.fixture(scope="session")
def shown_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model for each kind of input in the demo, one with a sample and one with an example input."""
    root = tmp_path_factory.mktemp("shown")
    for metadata in (
        DIGIT,
        PLAIN,
        STYLED,
        CROSSED,
        SKETCHER,
        MENDER,
        CLASSIFIER,
        INSPECTOR,
        ENLARGER,
        SHADER,
        RETOUCHER,
        POSER,
    ):
        save_model(root, metadata)
    examples = [root / name / "examples" / "red.png" for name in ("mender", "retoucher", "poser")]
    for path in (root / "digits" / "sample.png", *examples):
        path.parent.mkdir(exist_ok=True)
        PILImage.new("RGB", (12, 9), "red").save(path)
    return root


@pytest.fixture(scope="session")
def demo(shown_models: Path) -> Iterator[Server]:
    """A server with the demo and low limits."""
    with Server(shown_models, demo=True, max_count=32, max_body=300_000, max_pixels=400_000) as server:
        yield server


@pytest.fixture(scope="module")  # while it exists, its event loop runs, and no other can
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    program = shutil.which("chromium")
    assert program, "no chromium on the PATH; install it, on Debian with: apt-get install chromium"
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture
def visit(demo: Server, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open the demo at an address. Requests to other hosts and JavaScript errors fail the test."""
    pages: list[Page] = []
    faults: list[str] = []

    def visit(query: str = "", **options: Any) -> Page:
        page = chromium.new_page(**options)
        pages.append(page)
        page.set_default_timeout(20_000)
        own = (demo.url, "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{demo.url}/{query}")
        return page

    yield visit
    for page in pages:
        page.close()
    assert not faults
