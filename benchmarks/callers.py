"""Callers of an HTTP server that ask again as soon as they are answered; what they saw is printed as JSON.

    python benchmarks/callers.py HOST PORT PATH CONNECTIONS SECONDS

A connection is a few lines of its own, since a client library would take more of the processor than some servers do.
"""

import asyncio
import json
import re
import sys
import time

import uvloop

WARMING = 0.2  # of the time, not counted


class Caller(asyncio.Protocol):
    """One connection. The path's `{seed}` is another number in every request."""

    def __init__(self, path: str, host: str, number: int, step: int, until: float) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: image/png\r\n\r\n"
        self._number, self._step, self._until = number, step, until
        self._buffer = b""
        self.answers: list[tuple[float, float]] = []  # when, and after how many seconds
        self.refused = 0
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
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._number += self._step
        self._began = time.perf_counter()
        self._transport.write(self._request.replace("{seed}", str(self._number)).encode())  # type: ignore[attr-defined]


async def call(host: str, port: int, path: str, connections: int, seconds: float) -> dict[str, float]:
    """What the callers saw after the first part of the time."""
    began = time.perf_counter()
    counted, until = began + WARMING * seconds, began + seconds
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda number=number: Caller(path, host, number, connections, until), host, port)
        for number in range(connections)
    ]
    callers = [caller for _, caller in pairs]
    await asyncio.gather(*(caller.done for caller in callers))
    waits = sorted(wait for caller in callers for at, wait in caller.answers if counted <= at < until)
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
    host, port, path, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(call(host, int(port), path, int(connections), float(seconds)))))
