"""The effect of one thread per run: milliseconds of each model, compared with sessions that split layers among cores.

    python benchmarks/threads.py                            # every shipped model, one image and 64 images
    python benchmarks/threads.py pix2pixhd srgan --side 384
    python benchmarks/threads.py --page docs/performance.md      # and write the table into that page
    python benchmarks/threads.py dtn --page docs/performance.md  # only the row of that model

Before: a session with one thread per core, and all requested rows in one run. After: gan-serve, where each row (or
tile) is a run on one thread, and runs are parallel. Both take turns on the same inputs, so that other load on the
machine affects both; the ratio is the median over the rounds.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_serve.generator import Generator, batch_size
from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Model, Repository, models_folder
from gan_serve.request import Item
from gan_serve.runtime import open_session, parse_device
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.system.cpus import cpu_count
from gan_serve.tensors import Image, Mask

START, END = "<!-- threads: filled in by benchmarks/threads.py --page -->", "<!-- threads: end -->"
HEADER = 4  # lines before the rows of the table
MANY = 64
PAUSE = 0.05  # seconds; a session's threads spin for a while after a run, which would slow down the next one
SLOWER = 1.3  # ratios above this are marked


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="MODEL", help="models to measure (default: all)")
    parser.add_argument("--models", default=None, help="folder of models (default: the shipped ones)")
    parser.add_argument("--side", type=int, default=256, help="pixels a side, for models of any size")
    parser.add_argument("--images", type=int, default=MANY, help="number of images in the second column")
    parser.add_argument("--rounds", type=int, default=15, help="number of measurements of each")
    parser.add_argument("--page", type=Path, default=None, help="a Markdown file whose table is replaced")
    options = parser.parse_args()
    repository = Repository(models_folder(options.models))
    lines = [
        f"{cpu_count()} cores, {processor()}. Milliseconds before and after, and the ratio of the times; "
        f"images of any size are {options.side}x{options.side}.",
        "",
        f"| model | one image: before | after | ratio | {options.images} images: before | after | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in options.names or repository.names:
        cells = [measure(repository.find(name), images, options) for images in (1, options.images)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    if options.page:
        head, _, rest = options.page.read_text().partition(START)
        before, _, tail = rest.partition(END)
        if options.names:
            lines = with_rows(before.strip("\n").splitlines(), lines)
        options.page.write_text("\n".join([head + START, *lines, END + tail]))


def with_rows(before: list[str], now: list[str]) -> list[str]:
    """Return a table with the rows of some models replaced or added.

    Raises:
        SystemExit: the table was measured on another machine.
    """
    if before[:HEADER] != now[:HEADER]:
        raise SystemExit(f"the page has other columns or another machine: {before[0]} Measure all models")
    rows = {row.split(" | ")[0]: row for row in (*before[HEADER:], *now[HEADER:])}
    return [*now[:HEADER], *(rows[name] for name in sorted(rows))]


def measure(model: Model, images: int, options: argparse.Namespace) -> str:
    """Return milliseconds before and after and their ratio, as cells of the table."""
    metadata = model.metadata
    images = 1 if metadata.any_size else images  # several images of any size are computed one after the other
    arrays = random_inputs(metadata, images, options.side)
    session = open_session(model.content, str(model.path), parse_device("cpu"), threads=cpu_count())
    rows = batch_size(metadata)
    batches = [{name: array[at : at + rows] for name, array in arrays.items()} for at in range(0, images, rows)]
    generator = Generator(model, device="cpu")
    functions = (lambda: [session.run(None, batch) for batch in batches], lambda: generator.infer(arrays))
    rounds = [[seconds(function) for function in functions] for _ in range(options.rounds + 1)][1:]  # skips the warm-up
    old, new = (1000 * statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(after / before for before, after in rounds)
    return f"{old:.2f} | {new:.2f} | {f'**{ratio:.2f}**' if ratio > SLOWER else f'{ratio:.2f}'}"


def random_inputs(metadata: ModelMetadata, images: int, side: int) -> Arrays:
    """Return the graph's inputs for that many images: images of noise, and all other inputs drawn from seed 0."""
    random = np.random.RandomState(0)
    others = [tensor for tensor in metadata.inputs if not isinstance(tensor, Image | Mask)]
    items = [complete(others, 0, Item(index, {})) for index in range(images)]
    noise = {
        tensor.name: random.uniform(tensor.low, tensor.high, (images, *tensor.shape_at(side, side))).astype(np.float32)
        for tensor in metadata.inputs
        if isinstance(tensor, Image | Mask)
    }
    arrays = {**noise, **input_arrays(others, 0, items)}
    return {tensor.name: arrays[tensor.name] for tensor in metadata.inputs}


def seconds(function: Callable[[], object]) -> float:
    """Measure one call, after the threads of the previous session have stopped spinning."""
    time.sleep(PAUSE)
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def processor() -> str:
    """Return the name of the processor, if the system reports it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


if __name__ == "__main__":
    main()
