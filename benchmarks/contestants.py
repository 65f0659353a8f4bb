"""Who is measured: how each server is started, and how it is asked for the image of a seed."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from environments import python_of
from processes import last_line, running

from gan_serve.errors import Failure

HERE = Path(__file__).parent
OURS = "gan-serve"
PATIENCE = 180.0  # seconds until a server is ready, or answers
SETTLED = 2.0  # seconds that a connection lasts when a server has started whole


@dataclass(frozen=True)
class Request:
    """Text with `{seed}` in it; without a body it is a GET."""

    path: str
    body: str = ""

    def with_seed(self, seed: int) -> tuple[str, str, str]:
        """Method, path and body."""
        path, body = (text.replace("{seed}", str(seed)) for text in (self.path, self.body))
        return "POST" if body else "GET", path, body


_TENSOR = {"name": "seed", "shape": [1], "datatype": "INT64", "data": ["{seed}"]}
_TRITON = json.dumps({"inputs": [_TENSOR], "parameters": {"binary_data_output": True}}).replace('"{seed}"', "{seed}")
PEERS = {
    "triton": Request("/v2/models/painter/infer", _TRITON),
    "litserve": Request("/predict", '{"seed": {seed}}'),
    "bentoml": Request("/paint", '{"seed": {seed}}'),
    "ray": Request("/?seed={seed}"),
}


@dataclass(frozen=True)
class Contestant:
    """A server that can be started; it finds its port and its model in the environment, as gan-serve does."""

    name: str
    command: list[str]
    request: Request

    @contextlib.contextmanager
    def serving(self, models: Path, expected: Mapping[int, bytes]) -> Iterator["Served"]:
        """The server, once it has answered rightly.

        Raises:
            Failure: it does not start, or answers something else than the `expected` bytes for each seed.
        """
        port = _free_port()
        with tempfile.TemporaryDirectory() as folder:
            environment = child_environment(models) | {"GAN_SERVE_PORT": str(port), "TMPDIR": folder}
            began = time.perf_counter()
            with running(self.command, Path(folder), environment) as process:
                _wait_until_ready(process, port, self.request, Path(folder) / "log")
                ready = time.perf_counter() - began
                for seed, content in expected.items():
                    if _ask(port, self.request, seed) != content:
                        raise Failure(f"it does not answer seed {seed} with the bytes of gan-serve")
                _wait_until(lambda: _lasts(port, self.request), "its connections do not last")
                yield Served(process.pid, port, ready)


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    pid: int
    port: int
    ready: float  # seconds from its start to its first answer


def child_environment(models: Path) -> dict[str, str]:
    """Of everything that is started: where the model is, and where gan-serve and the painter are."""
    own = {"GAN_SERVE_MODELS": str(models), "GAN_SERVE_LOG_LEVEL": "warning"}  # no server logs every request
    return os.environ | own | {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}


def gan_serve_itself(name: str) -> Contestant:
    """`gan-serve serve` as it comes, with the model of this name."""
    request = Request(f"/v1/models/{name}/generate?seed={{seed}}&format=png")
    return Contestant(OURS, [sys.executable, "-m", "gan_serve", "serve"], request)


def peer(name: str, cache: Path) -> Contestant:
    """Another server, installed in an environment of its own.

    Raises:
        Failure: it cannot be installed.
    """
    folder = HERE / "peers" / name
    python = python_of(name, folder / "requirements.txt", cache)
    return Contestant(name, [str(python), str(folder / "start.py")], PEERS[name])


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, request: Request, log: Path) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise Failure(f"it ended: {last_line(log.read_text(errors='replace')) or 'without a word'}")
        return _ask(port, request, 0) is not None

    _wait_until(answers, "it is not ready")


def _wait_until(holds: Callable[[], bool], complaint: str) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            raise Failure(f"{complaint} after {PATIENCE:.0f} seconds")
        time.sleep(0.01)


def _ask(port: int, request: Request, seed: int) -> bytes | None:
    """The file in an answer; nothing if there is none."""
    with _connection(port) as connection:
        return _answer(connection, request, seed)


def _lasts(port: int, request: Request) -> bool:
    """Whether a connection stays open: Ray's proxy starts anew for each replica that comes, and drops all of them."""
    with _connection(port) as connection:
        answered = _answer(connection, request, 0) is not None
        time.sleep(SETTLED)
        return answered and _answer(connection, request, 0) is not None


def _connection(port: int) -> contextlib.closing[http.client.HTTPConnection]:
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))


def _answer(connection: http.client.HTTPConnection, request: Request, seed: int) -> bytes | None:
    method, path, body = request.with_seed(seed)
    try:
        connection.request(method, path, body or None, {"Content-Type": "application/json", "Accept": "image/png"})
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException):
        return None
    skipped = int(response.getheader("Inference-Header-Content-Length", "0"))  # Triton's JSON before the tensors
    return content[skipped:] if response.status == http.HTTPStatus.OK else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
