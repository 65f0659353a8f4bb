"""What the machine can do, and what a server does for its callers."""

import json
import subprocess
import sys
from pathlib import Path

from contestants import HERE, PATIENCE, Contestant, Served, child_environment
from processes import last_line, memory, processor_seconds
from report import Figures, Limit

from gan_serve.errors import Failure
from gan_serve.system.cpus import cpu_count


def bare_limit(models: Path, seconds: int) -> Limit:
    """What a process on each core does together, and how long a run takes one that is alone."""
    together = bare_loops(models, seconds, cpu_count())
    (alone,) = bare_loops(models, seconds, 1)
    rate = sum(each["rate"] for each in together)
    return Limit(rate, sum(each["processor"] for each in together) / len(together), alone["run"])


def bare_loops(models: Path, seconds: int, number: int) -> list[dict[str, float]]:
    """What each of so many processes at once has done."""
    command = [sys.executable, str(HERE / "bare.py"), str(seconds)]
    environment = child_environment(models)
    loops = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(number)]
    return [json.loads(loop.communicate()[0]) for loop in loops]


def measure(contestant: Contestant, served: Served, connections: int, seconds: int) -> Figures:
    """What a server does for so many callers.

    Raises:
        Failure: it refused some.
    """
    before = processor_seconds(served.pid)
    seen = called(contestant, served.port, connections, seconds)
    spent = 1000 * (processor_seconds(served.pid) - before) / seen["asked"]
    if seen["refused"]:
        raise Failure(f"at {connections} connections it refused {seen['refused']:.0f} of {seen['asked']:.0f} requests")
    return Figures(
        rate=seen["rate"],
        p50=seen["p50"],
        p99=seen["p99"],
        processor=spent,
        callers=seen["processor"],
        memory=memory(served.pid),
        ready=served.ready,
    )


def called(contestant: Contestant, port: int, connections: int, seconds: int) -> dict[str, float]:
    """What the callers saw.

    Raises:
        Failure: the server stopped answering, or the callers failed themselves.
    """
    request = contestant.request
    command = [sys.executable, str(HERE / "callers.py"), "127.0.0.1", str(port), request.path, request.body]
    command += [str(connections), str(seconds)]
    try:
        ended = subprocess.run(command, capture_output=True, check=True, text=True, timeout=seconds + PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failure(f"at {connections} connections it stopped answering") from None
    except subprocess.CalledProcessError as error:
        raise Failure(f"its callers failed: {last_line(error.stderr)}") from None
    found: dict[str, float] = json.loads(ended.stdout)
    return found
