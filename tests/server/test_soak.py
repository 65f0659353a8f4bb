"""Memory does not grow with the requests. `make soak` checks this for ten minutes."""

import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from load import Tally, call
from server_process import Server

LEAKING = """
import sys
from gan_serve.cli import run
from gan_serve.server.metrics import Metrics

kept, observe = [], Metrics.observe_request
Metrics.observe_request = lambda *arguments: (kept.append(bytes(20_000)), observe(*arguments))
sys.exit(run(["serve"]))
"""


def bytes_an_hour(server: Server, seconds: float) -> float:
    """Return the slope of the resident memory under load, after a third of the time for warm-up."""

    async def ask(session: aiohttp.ClientSession, number: int) -> None:
        format = ("png", "json", "npy", "gif")[number % 4]
        await tally.time(session.get("/v1/models/digits/generate", params={"seed": number, "format": format}))

    tally = Tally()
    samples = []
    for _ in range(18):
        call(server, ask, clients=8, seconds=seconds / 18)
        samples.append((time.monotonic(), server.memory()))
    assert set(tally.seconds) == {200, 400}
    times, memory = zip(*samples[6:], strict=True)
    return float(np.polyfit(np.array(times) - times[0], memory, 1)[0]) * 3600


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("leaks", [False, True], ids=["unchanged", "control that leaks"])
def test_memory_does_not_grow(models: Path, full: Callable[[float, float], float], leaks: bool) -> None:
    limit = full(500e6, 1e6)  # a few seconds reveal a leak of 1 KB per request, but no smaller one
    with Server(models, script=LEAKING if leaks else None) as server:
        slope = bytes_an_hour(server, full(5, 60 if leaks else 600))
    assert (slope > limit) == leaks, f"{slope / 1e6:.2f} MB an hour"
