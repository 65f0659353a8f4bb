"""Megapixels per second and peak memory of translating an image, compared with calling ONNX Runtime directly.

    python benchmarks/translate.py MODEL [--models DIR] [--image FILE | --size WIDTHxHEIGHT] [--runs N] [--rounds N]

Both decode the file, run the model, and write a PNG of the same size, repeatedly in a process of their own. The direct
call passes the whole image through the network at once, on as many threads. The processes take turns, so that other
load on the machine affects both. The target is that gan-serve takes at most a tenth longer.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Repository, models_folder
from gan_serve.system.cpus import cpu_count

PROMISE = 1.1

PREAMBLE = """
import json, resource, sys, time
task = json.loads(sys.argv[1])
"""

BARE = """
import numpy
import onnxruntime
from PIL import Image

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = task["threads"]
session = onnxruntime.InferenceSession(task["model"], options, providers=["CPUExecutionProvider"])

def translate():
    image = Image.open(task["image"]).convert(task["mode"])
    width, height = image.size
    if task["network"]:
        image = image.resize(task["network"], Image.Resampling.LANCZOS)
    array = numpy.asarray(image, numpy.float32).reshape(*image.size[::-1], -1).transpose(2, 0, 1)
    array = array / 255 * (task["high"] - task["low"]) + task["low"]
    sides = [(0, -side % task["multiple"]) for side in array.shape[1:]]
    array = numpy.pad(array, [(0, 0), *sides], "reflect")[None]
    output = session.run(None, {session.get_inputs()[0].name: array})[0][0]
    levels = (output - task["output_low"]) * (255 / (task["output_high"] - task["output_low"]))
    pixels = levels.round().clip(0, 255).astype(numpy.uint8).transpose(1, 2, 0)
    width, height = width * task["scale"], height * task["scale"]
    if task["network"]:
        result = Image.fromarray(pixels.squeeze()).resize((width, height), Image.Resampling.LANCZOS)
    else:
        result = Image.fromarray(pixels[:height, :width].squeeze())
    result.save(task["output"], compress_level=1)
"""

SERVED = """
import gan_serve

generator = gan_serve.load(task["name"], models=task["models"], device="cpu")

def translate():
    generator.generate(**{task["input"]: task["image"]}).save(task["output"])
"""

LOOP = """
translate()
began = time.perf_counter()
for _ in range(task["runs"]):
    translate()
seconds = (time.perf_counter() - began) / task["runs"]
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

Figures = dict[str, list[tuple[float, float]]]  # seconds for an image and peak MiB, of each process


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--models", default=None, help="folder of models (default: the shipped ones)")
    parser.add_argument("--image", type=Path, default=None, help="an image (default: a synthetic one)")
    parser.add_argument("--size", default="480x360", help="size of the synthetic image")
    parser.add_argument("--runs", type=int, default=5, help="images in each process, after one that is not counted")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each kind")
    options = parser.parse_args()
    repository = Repository(models_folder(options.models))
    model = repository.find(options.model)
    with tempfile.TemporaryDirectory() as folder:
        image = options.image or synthetic_image(Path(folder) / "image.png", *map(int, options.size.split("x")))
        files = {"model": str(model.path), "models": str(repository.root), "image": str(image), "runs": options.runs}
        task = files | {"threads": cpu_count()} | facts(model.metadata)
        with PILImage.open(image) as opened:
            megapixels = opened.width * opened.height / 1e6
        report(measure(task, Path(folder), options.rounds), megapixels)


def facts(metadata: ModelMetadata) -> dict[str, object]:
    """Return the facts that a program needs to call the model directly.

    Raises:
        SystemExit: the model does not translate one image into one image.
    """
    if len(metadata.inputs) > 1 or metadata.source_image is None or not metadata.image_outputs[0].like:
        raise SystemExit(f"{metadata.name} does not translate one image into one image; choose another model")
    before, after = metadata.source_image, metadata.image_outputs[0]
    return {
        "name": metadata.name,
        "input": before.name,
        "mode": "L" if before.channels == 1 else "RGB",
        "network": None if before.any_size else [before.width, before.height],
        "multiple": before.multiple,
        "low": before.low,
        "high": before.high,
        "output_low": after.low,
        "output_high": after.high,
        "scale": after.scale,
    }


def synthetic_image(path: Path, width: int, height: int) -> Path:
    """Write an image with large shapes and fine grain."""
    random = np.random.RandomState(0)
    shapes = random.randint(256, size=(height // 40 + 1, width // 40 + 1, 3), dtype=np.uint8)
    smooth = np.asarray(PILImage.fromarray(shapes).resize((width, height), PILImage.Resampling.BICUBIC))
    grain = random.randint(-8, 9, size=smooth.shape)
    PILImage.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(path)
    return path


def measure(task: Mapping[str, object], folder: Path, rounds: int) -> Figures:
    """Run each kind of process in turn."""
    figures: Figures = {"by hand": [], "gan-serve": []}
    for _ in range(rounds):
        for name, script in (("by hand", BARE), ("gan-serve", SERVED)):
            arguments = json.dumps({**task, "output": str(folder / f"{name}.png")})
            command = [sys.executable, "-c", PREAMBLE + script + LOOP, arguments]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            figures[name].append(tuple(json.loads(done.stdout)))
    return figures


def report(figures: Figures, megapixels: float) -> None:
    """Print a table of medians, and the ratio beside its target."""
    print(f"{'':12}{'megapixels/s':>14}{'peak memory':>14}   (of {megapixels:.2f} megapixels that go in)")
    medians = {
        name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in figures.items()
    }
    for name, (seconds, mebibytes) in medians.items():
        print(f"{name:12}{megapixels / seconds:14.3f}{mebibytes:10.0f} MiB")
    ratios = [served / bare for (served, _), (bare, _) in zip(figures["gan-serve"], figures["by hand"], strict=True)]
    print(f"\nseconds by ratio {statistics.median(ratios):.2f}, promised {PROMISE}")


if __name__ == "__main__":
    main()
