"""Load an HTTP server with clients that send a request after each response, and print their measurements as JSON.

    python benchmarks/callers.py HOST PORT PATH BODY CONNECTIONS SECONDS

`{seed}` in the path and the body is a different number in each request; without a body, requests are GET. The clients
are written by hand, since a client library would use more processor time than some servers.
"""

import asyncio
import json
import re
import sys
import time

import uvloop

WARMING = 0.2  # the share of the time that is not counted
SEEDS = range(100_000, 1_000_000)  # as long as `{seed}`, so that the body has the length in its header


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: str, number: int, step: int, until: float) -> None:
        self._request = request
        self._number, self._step, self._until = number, step, until
        self._buffer = b""
        self.responses: list[tuple[float, float]] = []  # the time of each, and its latency in seconds
        self.refused = 0  # error responses, and connections that the server closed
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if not found or not length or len(body) < int(length[1]):
            return
        now = time.perf_counter()
        self.responses.append((now, now - self._began))
        self.refused += not head.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.refused += time.perf_counter() < self._until
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        self._number += self._step
        seed = SEEDS[self._number % len(SEEDS)]
        self._began = time.perf_counter()
        self._transport.write(self._request.replace("{seed}", str(seed)).encode())  # type: ignore[attr-defined]


def make_request(host: str, path: str, body: str) -> str:
    """Return the text of a request, with the placeholder `{seed}`."""
    head = f"Host: {host}\r\nAccept: image/png\r\n"
    if not body:
        return f"GET {path} HTTP/1.1\r\n{head}\r\n"
    content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST {path} HTTP/1.1\r\n{head}{content}\r\n{body}"


async def call(host: str, port: int, request: str, connections: int, seconds: float) -> dict[str, float]:
    """Run the clients, and return their measurements after the warm-up."""
    began = time.perf_counter()
    counted, until = began + WARMING * seconds, began + seconds
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda number=number: Caller(request, number, connections, until), host, port)
        for number in range(connections)
    ]
    callers = [caller for _, caller in pairs]
    await asyncio.gather(*(caller.done for caller in callers))
    latencies = sorted(latency for caller in callers for at, latency in caller.responses if counted <= at < until)
    if not latencies:
        raise SystemExit("no response arrived after the warm-up")
    asked = sum(len(caller.responses) for caller in callers)
    return {
        "rate": len(latencies) / (until - counted),
        "p50": 1000 * latencies[len(latencies) // 2],
        "p99": 1000 * latencies[len(latencies) * 99 // 100],
        "asked": asked,
        "refused": sum(caller.refused for caller in callers),
        "processor": 1000 * time.process_time() / asked,
    }


if __name__ == "__main__":
    host, port, path, body, connections, seconds = sys.argv[1:]
    request = make_request(host, path, body)
    print(json.dumps(uvloop.run(call(host, int(port), request, int(connections), float(seconds)))))
