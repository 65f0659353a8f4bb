"""Whole-process time of `gan-serve generate` for one image, compared with a bare script that does the same.

    python benchmarks/cold_start.py [--model NAME] [--models DIR] [--runs N]

The two alternate, so that other load on the machine affects both. The target is a ratio of at most 1.5.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gan_serve.repository import Model, Repository, models_folder

PROMISE = 1.5

BARE = """
import sys
import numpy
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
shapes = {each.name: [1, *each.shape[1:]] for each in session.get_inputs()}
types = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64}
random = numpy.random.RandomState(0)
arrays = {each.name: random.randn(*shapes[each.name]).astype(types[each.type]) for each in session.get_inputs()}
image = session.run(None, arrays)[0][0]
pixels = ((image + 1) * 127.5).clip(0, 255).astype(numpy.uint8).transpose(1, 2, 0).squeeze()
Image.fromarray(pixels).save(sys.argv[2])
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help="a model's name (default: the first one)")
    parser.add_argument("--models", default=None, help="folder of models (default: the shipped ones)")
    parser.add_argument("--runs", type=int, default=21)
    options = parser.parse_args()
    repository = Repository(models_folder(options.models))
    model = repository.find(options.model or repository.names[0])
    with tempfile.TemporaryDirectory() as folder:
        report(measure(commands(model, repository.root, Path(folder)), options.runs))


def commands(model: Model, root: Path, folder: Path) -> dict[str, list[str]]:
    """Return the command lines to compare."""
    script = folder / "bare.py"
    script.write_text(BARE)
    tool = shutil.which("gan-serve", path=Path(sys.executable).parent) or "gan-serve"
    generate = [tool, "generate", "--model", model.metadata.name, "--models", str(root), "--seed", "0"]
    return {
        "bare script": [sys.executable, str(script), str(model.path), str(folder / "bare.png")],
        "gan-serve generate": [*generate, "--output", str(folder / "image.png")],
        "gan-serve --help": [tool, "--help"],
    }


def measure(commands: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """Return the seconds of each run, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - began)
    return {name: each[1:] for name, each in seconds.items()}


def report(seconds: dict[str, list[float]]) -> None:
    """Print a table of medians, and the ratio beside its target."""
    print(f"{'':20}{'median':>10}{'fastest':>10}")
    for name, each in seconds.items():
        print(f"{name:20}{statistics.median(each) * 1000:7.0f} ms{min(each) * 1000:7.0f} ms")
    ratio = statistics.median(seconds["gan-serve generate"]) / statistics.median(seconds["bare script"])
    print(f"\nratio {ratio:.2f}, promised {PROMISE}")


if __name__ == "__main__":
    main()
