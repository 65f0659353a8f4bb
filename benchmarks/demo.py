"""The demo's latency in a real Chromium on this machine: from moving a slider to the new images.

    python benchmarks/demo.py [--models DIR] [--moves N]

For every model that draws from noise, a key press moves a slider, and the time is measured until the browser has
decoded the changed images and can paint them. The target is at most 150 ms for small models on a CPU.
"""

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright
from processes import last_line, running

from gan_serve.repository import Repository, models_folder
from gan_serve.tensors import Label, Latent, Scalar

PROMISE = 150  # ms
IMAGES = 16

# Resolves with the ms from the next key press to the first frame that can show new images.
_WATCH = """() => {
  const shown = () => [...document.querySelectorAll("#gs-images img")];
  const sources = () => shown().map((image) => image.src).join();
  const before = sources();
  window.redrawn = new Promise((resolve) => addEventListener("keydown", (key) => {
    const look = async () => {
      if (!shown().length || sources() === before) return requestAnimationFrame(look);
      await Promise.all(shown().map((image) => image.decode()));
      requestAnimationFrame(() => resolve(performance.now() - key.timeStamp));
    };
    look();
  }, { once: true, capture: true }));
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=None, help="folder of models (default: the shipped ones)")
    parser.add_argument("--moves", type=int, default=40, help="number of moves of each slider")
    options = parser.parse_args()
    root = models_folder(options.models)
    with served(root) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        print(f"{'':14}{'slider':16}{'median':>9}{'p95':>9}   promised {PROMISE} ms, for {IMAGES} images")
        for name, slider in turned(Repository(root)):
            page = browser.new_page()
            page.goto(f"{url}/?model={name}&seed=7&count={IMAGES}")
            waits = sorted(moves(page, slider, options.moves))
            p95 = waits[round(0.95 * (len(waits) - 1))]
            print(f"{name:14}{slider:16}{statistics.median(waits):6.0f} ms{p95:6.0f} ms", flush=True)
            page.close()


def turned(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield models that draw from noise, each with a slider: that of an input, or otherwise that of the count."""
    for name in repository.names:
        inputs = repository.find(name).metadata.inputs
        if all(isinstance(tensor, Latent | Label | Scalar) for tensor in inputs):
            selecting = {tensor.selected_by for tensor in inputs if isinstance(tensor, Latent)}
            own = [each.name for each in inputs if isinstance(each, Scalar) and each.name not in selecting]
            yield name, own[0] if own else "how many"


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Run a demo with these models, and yield its address."""
    command = [sys.executable, "-m", "gan_serve", "demo", "--port", "0", "--models", str(root)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as folder, running(command, Path(folder), environment) as process:
        log = Path(folder) / "log"
        while not (found := re.search(r"http://[\d.]+:\d+", log.read_text())):
            if process.poll() is not None:
                raise SystemExit(f"the demo does not start: {last_line(log.read_text())}")
            time.sleep(0.1)
        yield found[0]


def moves(page: Page, slider: str, number: int) -> Iterator[float]:
    """Yield the latency of each move in ms, after three moves that are not counted."""
    expect(page.locator("#gs-images img")).to_have_count(IMAGES, timeout=60_000)
    handle = page.get_by_role("slider", name=slider).first
    for move in range(number + 3):
        page.evaluate(_WATCH)
        handle.press("ArrowRight" if move % 2 else "ArrowLeft")
        wait: float = page.evaluate("window.redrawn")
        if move >= 3:
            yield wait


if __name__ == "__main__":
    main()
