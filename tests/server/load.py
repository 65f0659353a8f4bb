"""Load generators: many clients at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from server_process import PATIENCE, Server

Ask = Callable[[aiohttp.ClientSession, int], Coroutine[Any, Any, None]]  # sends the request of a number


@dataclass
class Tally:
    """The response times that clients measured, by status."""

    seconds: dict[int, list[float]] = field(default_factory=dict)

    def __getitem__(self, status: int) -> list[float]:
        return self.seconds.get(status, [])

    @property
    def total(self) -> int:
        return sum(map(len, self.seconds.values()))

    async def time(self, request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> tuple[int, bytes]:
        """Time a request. Return the status and the body of its response."""
        began = time.monotonic()
        async with request as answer:
            body = await answer.read()
        self.seconds.setdefault(answer.status, []).append(time.monotonic() - began)
        return answer.status, body


def call(server: Server, ask: Ask, *, clients: int, seconds: float) -> None:
    """Run clients that send a new request as soon as the last one is answered."""
    asyncio.run(_call(server, ask, clients, seconds))


def call_at(server: Server, ask: Ask, *, rate: float, seconds: float) -> None:
    """Send `rate` requests per second, whether or not the earlier ones are answered."""
    asyncio.run(_call_at(server, ask, rate, seconds))


async def _call(server: Server, ask: Ask, clients: int, seconds: float) -> None:
    until = time.monotonic() + seconds

    async def client(first: int) -> None:
        number = first
        while time.monotonic() < until:
            await ask(session, number)
            number += clients

    async with _session(server) as session, asyncio.TaskGroup() as group:
        for first in range(clients):
            group.create_task(client(first))


async def _call_at(server: Server, ask: Ask, rate: float, seconds: float) -> None:
    async with _session(server) as session, asyncio.TaskGroup() as group:
        began = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(began + number / rate - time.monotonic())
            group.create_task(ask(session, number))


def _session(server: Server) -> aiohttp.ClientSession:
    timeout, connector = aiohttp.ClientTimeout(PATIENCE), aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(server.url, timeout=timeout, connector=connector)
