"""The servers to measure: the command that starts each, and the request for the image of a seed."""

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
TIMEOUT = 180.0  # seconds for a server to be ready, or to respond
SETTLED = 2.0  # seconds that a connection lasts once a server has started completely


@dataclass(frozen=True)
class Request:
    """A request with the placeholder `{seed}`; without a body it is a GET."""

    path: str
    body: str = ""

    def with_seed(self, seed: int) -> tuple[str, str, str]:
        """Return method, path and body."""
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
    """A server that can be started; it reads its port and its model from the environment, as gan-serve does."""

    name: str
    command: list[str]
    request: Request

    @contextlib.contextmanager
    def serving(self, models: Path, expected: Mapping[int, bytes]) -> Iterator["Served"]:
        """Start the server, check its responses, and stop it at the end.

        Raises:
            Failure: it does not start, or its responses differ from the `expected` bytes for each seed.
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
                        raise Failure(f"its response for seed {seed} differs from the bytes of gan-serve")
                _wait_until(lambda: _lasts(port, self.request), "its connections do not last")
                yield Served(process.pid, port, ready)


@dataclass(frozen=True)
class Served:
    """A running server."""

    pid: int
    port: int
    ready: float  # seconds from its start to its first response


def child_environment(models: Path) -> dict[str, str]:
    """Return the environment of all child processes, with the paths of the model, gan-serve and the painter."""
    own = {"GAN_SERVE_MODELS": str(models), "GAN_SERVE_LOG_LEVEL": "warning"}  # no server logs every request
    return os.environ | own | {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}


def gan_serve_itself(name: str) -> Contestant:
    """Return `gan-serve serve` with its default settings and the model of this name."""
    request = Request(f"/v1/models/{name}/generate?seed={{seed}}&format=png")
    return Contestant(OURS, [sys.executable, "-m", "gan_serve", "serve"], request)


def peer(name: str, cache: Path) -> Contestant:
    """Install another server in an environment of its own, and return it.

    Raises:
        Failure: it cannot be installed.
    """
    folder = HERE / "peers" / name
    python = python_of(name, folder / "requirements.txt", cache)
    return Contestant(name, [str(python), str(folder / "start.py")], PEERS[name])


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, request: Request, log: Path) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise Failure(f"it exited: {last_line(log.read_text(errors='replace')) or 'without a message'}")
        return _ask(port, request, 0) is not None

    _wait_until(answers, "it is not ready")


def _wait_until(holds: Callable[[], bool], complaint: str) -> None:
    until = time.monotonic() + TIMEOUT
    while not holds():
        if time.monotonic() > until:
            raise Failure(f"{complaint} after {TIMEOUT:.0f} seconds")
        time.sleep(0.01)


def _ask(port: int, request: Request, seed: int) -> bytes | None:
    """Return the file in a response, or None without a successful response."""
    with _connection(port) as connection:
        return _answer(connection, request, seed)


def _lasts(port: int, request: Request) -> bool:
    """Return whether a connection stays open: Ray's proxy restarts for each new replica and drops all connections."""
    with _connection(port) as connection:
        answered = _answer(connection, request, 0) is not None
        time.sleep(SETTLED)
        return answered and _answer(connection, request, 0) is not None


def _connection(port: int) -> contextlib.closing[http.client.HTTPConnection]:
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT))


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
