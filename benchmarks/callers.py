"""Callers of an HTTP server that ask again as soon as they are answered; what they saw is printed as JSON.

    python benchmarks/callers.py HOST PORT PATH BODY CONNECTIONS SECONDS

`{seed}` in the path and in the body is another number in every request; without a body it is a GET. A connection is a
few lines of its own, since a client library would take more of the processor than some servers do.
"""

import asyncio
import json
import re
import sys
import time

import uvloop

WARMING = 0.2  # of the time, not counted
SEEDS = range(100_000, 1_000_000)  # as long as `{seed}`, so that a body keeps the length that its head tells


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: str, number: int, step: int, until: float) -> None:
        self._request = request
        self._number, self._step, self._until = number, step, until
        self._buffer = b""
        self.answers: list[tuple[float, float]] = []  # when, and after how many seconds
        self.refused = 0  # answers that are none, and a connection that is closed too early
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if not found or not length or len(body) < int(length[1]):
            return
        now = time.perf_counter()
        self.answers.append((now, now - self._began))
        self.refused += not head.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.refused += time.perf_counter() < self._until
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._number += self._step
        seed = SEEDS[self._number % len(SEEDS)]
        self._began = time.perf_counter()
        self._transport.write(self._request.replace("{seed}", str(seed)).encode())  # type: ignore[attr-defined]


def make_request(host: str, path: str, body: str) -> str:
    """The text of a request, with `{seed}` still in it."""
    head = f"Host: {host}\r\nAccept: image/png\r\n"
    if not body:
        return f"GET {path} HTTP/1.1\r\n{head}\r\n"
    sent = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST {path} HTTP/1.1\r\n{head}{sent}\r\n{body}"


async def call(host: str, port: int, request: str, connections: int, seconds: float) -> dict[str, float]:
    """What the callers saw after the first part of the time."""
    began = time.perf_counter()
    counted, until = began + WARMING * seconds, began + seconds
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda number=number: Caller(request, number, connections, until), host, port)
        for number in range(connections)
    ]
    callers = [caller for _, caller in pairs]
    await asyncio.gather(*(caller.done for caller in callers))
    waits = sorted(wait for caller in callers for at, wait in caller.answers if counted <= at < until)
    if not waits:
        raise SystemExit("no answer came in the time that counts")
    asked = sum(len(caller.answers) for caller in callers)
    return {
        "rate": len(waits) / (until - counted),
        "p50": 1000 * waits[len(waits) // 2],
        "p99": 1000 * waits[len(waits) * 99 // 100],
        "asked": asked,
        "refused": sum(caller.refused for caller in callers),
        "processor": 1000 * time.process_time() / asked,
    }


if __name__ == "__main__":
    host, port, path, body, connections, seconds = sys.argv[1:]
    request = make_request(host, path, body)
    print(json.dumps(uvloop.run(call(host, int(port), request, int(connections), float(seconds)))))
