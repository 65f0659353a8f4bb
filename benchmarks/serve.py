"""Compare `gan-serve serve` with other servers and with the machine's limit.

    python benchmarks/serve.py [--peers triton litserve bentoml ray] [--sizes 32 64] [--connections 1 16 64]
                               [--seconds 10] [--rounds 3] [--cache FOLDER] [--page docs/performance.md]

The limit is a bare loop in one process per core (bare.py). Each server runs in processes of its own, and the callers
(callers.py) in another one on the same cores. All do the same work (painter.py) and send the same bytes. They take
turns in every round, so that other load on the machine affects all of them.

The generators are DCGANs after a single training step, since speed does not depend on the weights.
"""

import argparse
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from contestants import OURS, PEERS, Contestant, gan_serve_itself, peer
from measuring import bare_limit, measure
from report import Figures, Page, Round, report

import gan_serve
from gan_serve.errors import Failure, GanServeError
from training import variants
from training.loop import runs
from training.publishing import publish

MODEL = "dcgan"
CHECKED = range(32)  # seeds whose images must have the right bytes
CACHE = Path.home() / ".cache" / "gan-serve" / "peers"


def main() -> None:
    """Measure and print."""
    options = read_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ensures that no server keeps running
    try:
        page = Page(options.page) if options.page else None
        tables = Benchmark(options).run()
    except GanServeError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
    print(tables)
    if page:
        page.fill_in(tables)


def read_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=PEERS,
        default=[*PEERS],
        help="servers to compare with (default: all; --peers alone: none)",
    )
    parser.add_argument("--sizes", type=positive, nargs="+", default=[32, 64], help="pixels a side")
    parser.add_argument("--connections", type=positive, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=positive, default=10, help="duration of each measurement")
    parser.add_argument("--rounds", type=positive, default=3, help="rounds; the tables show medians")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help=f"folder in which peers are installed (default: {CACHE})"
    )
    parser.add_argument("--page", type=Path, help="a Markdown file whose tables are replaced")
    return parser.parse_args()


def positive(text: str) -> int:
    """Parse a positive integer."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


class Benchmark:
    """A run of the benchmark, with the servers that were left out."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._contestants = [gan_serve_itself(MODEL)]
        self._left_out: dict[str, str] = {}

    def run(self) -> str:
        """Measure all servers, and return the tables.

        Raises:
            Failure: gan-serve itself cannot be measured.
        """
        for name in self._options.peers:
            say(f"{name}: installing if necessary")
            try:
                self._contestants.append(peer(name, self._options.cache.resolve()))
            except Failure as failure:
                self._leave_out(name, failure)
        with tempfile.TemporaryDirectory() as folder:
            models = {size: make_model(Path(folder) / f"{size}", size) for size in self._options.sizes}
            rounds: dict[int, list[Round]] = {size: [] for size in models}
            for number in range(self._options.rounds):
                for size, path in models.items():
                    say(f"round {number + 1} of {self._options.rounds}, {size}x{size}: the limit")
                    rounds[size].append(self._round(path))
        return report(rounds, self._left_out)

    def _round(self, models: Path) -> Round:
        limit = bare_limit(models, self._options.seconds)
        generator = gan_serve.load(MODEL, device="cpu", models=models)
        expected = {seed: generator.generate(seed=seed).encode("png") for seed in CHECKED}
        figures: dict[tuple[str, int], Figures] = {}
        for contestant in list(self._contestants):
            try:
                figures |= self._measured(contestant, models, expected)
            except Failure as failure:
                if contestant.name == OURS:
                    raise
                self._contestants.remove(contestant)
                self._leave_out(contestant.name, failure)
        return Round(limit, figures)

    def _measured(
        self, contestant: Contestant, models: Path, expected: dict[int, bytes]
    ) -> dict[tuple[str, int], Figures]:
        say(f"  {contestant.name}: starting")
        with contestant.serving(models, expected) as served:
            found = {}
            for connections in self._options.connections:
                say(f"  {contestant.name}: {connections} connection{'s' * (connections > 1)}")
                found[contestant.name, connections] = measure(contestant, served, connections, self._options.seconds)
            return found

    def _leave_out(self, name: str, failure: Failure) -> None:
        self._left_out[name] = str(failure)
        say(f"{name} is left out: {failure}")


def make_model(folder: Path, size: int) -> Path:
    """Create a folder with one model, a generator of square grey images, trained for one step on noise.

    Raises:
        Failure: the variant does not support this size.
    """
    say(f"a generator of {size}x{size} pixels")
    images = np.random.RandomState(0).randint(256, size=(12, size, size), dtype=np.uint8)
    folder.mkdir()
    data, models = folder / "noise.npz", folder / "models"
    np.savez(data, images=images)
    recipe = replace(variants.find(MODEL).recipe, steps=1, batch_size=8)
    runs.train(runs.Run(MODEL, recipe, str(data)), folder, resume=False, device="cpu")
    publish.export_all(runs.load_trained(folder, MODEL), models)
    return models


def say(text: str) -> None:
    """Print progress to stderr."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
