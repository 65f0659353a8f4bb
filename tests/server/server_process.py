"""Runs a server in a process of its own, as users do."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

ON_ONE_CORE = """
import os, sys
os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
from gan_serve.cli import run
sys.exit(run(["serve"]))
"""  # with one worker, which a single request keeps busy
PATIENCE = 60.0  # seconds for a start or an end


class Server:
    """`gan-serve serve` on a free port; `lines` holds its log."""

    def __init__(
        self, models: Path | str | None, *, script: str | None = None, wait: bool = True, **settings: object
    ) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GAN_SERVE")}
        values = {"port": 0, "linger": 0.2} | ({} if models is None else {"models": models}) | settings
        variables = {f"GAN_SERVE_{name.upper()}": str(value) for name, value in values.items()}
        command = [sys.executable, "-c", script] if script else [sys.executable, "-m", "gan_serve", "serve"]
        self.process = subprocess.Popen(command, env=clean | variables, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait = wait

    def __enter__(self) -> Self:
        """Wait until the server listens and, with `wait`, is ready. Stop it if that fails."""
        try:
            assert self._listening.wait(PATIENCE), self.lines
            if self._wait:
                self.wait_until("ready")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()

    @property
    def url(self) -> str:
        return str(self.logged("listening")[0]["url"])

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def logged(self, message: str) -> list[dict[str, Any]]:
        records = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [record for record in records if record["message"] == message]

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=PATIENCE, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=PATIENCE, **options)

    def generate(self, model: str, **options: Any) -> requests.Response:
        return self.post(f"/v1/models/{model}/generate", **options)

    def state(self) -> str:
        return str(self.get("/v1/health").json()["state"])

    def wait_until(self, state: str) -> None:
        until = time.monotonic() + PATIENCE
        while self.state() != state:
            assert time.monotonic() < until, self.lines
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def memory(self) -> int:
        """Return the resident bytes."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line)
            if '"listening"' in line:
                self._listening.set()
        self._listening.set()
        self.process.stderr.close()
