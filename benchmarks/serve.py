"""Requests per second of `gan-serve serve`, beside the most that the machine can do.

    python benchmarks/serve.py [--sizes 32 64] [--connections 1 16 64] [--seconds 10]

The limit is a bare loop in one process for each core (bare.py). The server runs in a process of its own, the callers
(callers.py) in another on the same cores. Processor time is told beside the rates: it depends less on what else the
machine does. The generators are DCGANs with the weights of a single training step, since speed does not depend on them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gan_serve.cpus import cpu_count

HERE = Path(__file__).parent
PATIENCE = 120.0
COLUMNS = ("size", "connections", "requests/s", "p50 ms", "p99 ms", "CPU ms", "callers' CPU ms", "MB", "ready s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            make_model(Path(folder), size)
        for size in options.sizes:
            report(Path(folder) / "models", size, options.connections, options.seconds)


def make_model(folder: Path, size: int) -> None:
    """A generator of square grey images, trained for one step on noise."""
    images = np.random.RandomState(0).randint(256, size=(64, size, size), dtype=np.uint8)
    data, run = folder / f"noise{size}.npz", folder / f"run{size}"
    np.savez(data, images=images)
    train = ["train", "dcgan", "--data", data, "--steps", "1", "--output", run]
    export = ["export", "dcgan", "--output", run, "--models", folder / "models", "--name", f"dcgan-{size}"]
    for command in (train, export):
        subprocess.run([sys.executable, "-m", "training", *command], check=True, capture_output=True)


def report(models: Path, size: int, connections: list[int], seconds: float) -> None:
    """A table for one generator."""
    name = f"dcgan-{size}"
    bare = bare_limit(models / name / "1" / "model.onnx", seconds)
    print(f"\n{size}x{size}: {bare['rate']:.0f} images/s on {cpu_count()} cores by a bare loop, ", end="")
    print(f"{bare['processor']:.3f} ms of a processor for each; session.run alone {bare['run']:.3f} ms\n")
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    with server(models) as (process, port, ready):
        path = f"/v1/models/{name}/generate?seed={{seed}}&format=png"
        for number in connections:
            before = processor_seconds(process.pid)
            seen = called(port, path, number, seconds)
            spent = 1000 * (processor_seconds(process.pid) - before) / seen["asked"]
            assert not seen["refused"]
            figures = (
                f"{seen['rate']:.0f}",
                *(f"{each:.3f}" for each in (seen["p50"], seen["p99"], spent, seen["processor"])),
            )
            print(
                "|", " | ".join([str(size), str(number), *figures, f"{memory(process.pid):.0f}", f"{ready:.2f}"]), "|"
            )


def bare_limit(model: Path, seconds: float) -> dict[str, float]:
    """What a process on each core does together."""
    command = [sys.executable, HERE / "bare.py", model, str(seconds)]
    loops = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(cpu_count())]
    found = [json.loads(loop.communicate()[0]) for loop in loops]
    mean = {name: sum(each[name] for each in found) / len(found) for name in found[0]}
    return mean | {"rate": mean["rate"] * len(found)}


@contextmanager
def server(models: Path) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """The server's process, its port, and the seconds until it was ready."""
    began = time.perf_counter()
    environment = os.environ | {"GAN_SERVE_PORT": "0", "GAN_SERVE_MODELS": str(models)}
    command = [sys.executable, "-m", "gan_serve", "serve"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, text=True)
        try:
            port = wait_until_ready(Path(f"/proc/self/fd/{log.fileno()}"), began)
            yield process, port, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(log: Path, began: float) -> int:
    """The port, once the server says that it is ready."""
    while time.perf_counter() < began + PATIENCE:
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        ports = [int(line["url"].rpartition(":")[2]) for line in lines if "url" in line]
        if ports and any(line["message"].startswith("ready") for line in lines):
            return ports[0]
        time.sleep(0.005)
    raise SystemExit("the server is not ready")


def called(port: int, path: str, connections: int, seconds: float) -> dict[str, float]:
    """What the callers saw."""
    command = [sys.executable, HERE / "callers.py", "127.0.0.1", str(port), path, str(connections), str(seconds)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return found


def processor_seconds(pid: int) -> float:
    """Of all threads of a process, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
