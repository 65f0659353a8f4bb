"""Measure the machine's limit, and a server under load."""

import json
import subprocess
import sys
from pathlib import Path

from contestants import HERE, TIMEOUT, Contestant, Served, child_environment
from processes import last_line, memory, processor_seconds
from report import Figures, Limit

from gan_serve.errors import Failure
from gan_serve.system.cpus import cpu_count


def bare_limit(models: Path, seconds: int) -> Limit:
    """Measure one bare loop per core, and the time of a run in a single loop."""
    together = bare_loops(models, seconds, cpu_count())
    (alone,) = bare_loops(models, seconds, 1)
    rate = sum(each["rate"] for each in together)
    return Limit(rate, sum(each["processor"] for each in together) / len(together), alone["run"])


def bare_loops(models: Path, seconds: int, number: int) -> list[dict[str, float]]:
    """Run `number` bare loops at once, and return the measurements of each."""
    command = [sys.executable, str(HERE / "bare.py"), str(seconds)]
    environment = child_environment(models)
    loops = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(number)]
    return [json.loads(loop.communicate()[0]) for loop in loops]


def measure(contestant: Contestant, served: Served, connections: int, seconds: int) -> Figures:
    """Measure a server with this number of connections.

    Raises:
        Failure: it refused requests.
    """
    before = processor_seconds(served.pid)
    measured = call_server(contestant, served.port, connections, seconds)
    spent = 1000 * (processor_seconds(served.pid) - before) / measured["asked"]
    if measured["refused"]:
        raise Failure(
            f"at {connections} connections it refused {measured['refused']:.0f} of {measured['asked']:.0f} requests"
        )
    return Figures(
        rate=measured["rate"],
        p50=measured["p50"],
        p99=measured["p99"],
        processor=spent,
        callers=measured["processor"],
        memory=memory(served.pid),
        ready=served.ready,
    )


def call_server(contestant: Contestant, port: int, connections: int, seconds: int) -> dict[str, float]:
    """Run callers.py in a process of its own, and return its measurements.

    Raises:
        Failure: the server stopped responding, or the callers failed.
    """
    request = contestant.request
    command = [sys.executable, str(HERE / "callers.py"), "127.0.0.1", str(port), request.path, request.body]
    command += [str(connections), str(seconds)]
    try:
        ended = subprocess.run(command, capture_output=True, check=True, text=True, timeout=seconds + TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failure(f"at {connections} connections it stopped responding") from None
    except subprocess.CalledProcessError as error:
        raise Failure(f"its callers failed: {last_line(error.stderr)}") from None
    measured: dict[str, float] = json.loads(ended.stdout)
    return measured
