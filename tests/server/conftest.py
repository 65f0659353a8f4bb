"""Servers that many tests ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_process import Server


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[Server]:
    """The small models, with limits that are easily reached."""
    with Server(models, max_count=16, max_body=300_000, max_pixels=100_000, admin_token="admin") as server:
        yield server


@pytest.fixture(scope="session")
def zoo() -> Iterator[Server]:
    """Every shipped model."""
    with Server(None) as server:
        yield server
