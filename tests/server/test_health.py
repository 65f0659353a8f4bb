"""gan-serve health, as containers run it: an exit code and one line."""

import http.server
import signal
import threading
from pathlib import Path

import pytest
from command_line import Run
from server_process import Server


def test_it_reports_whether_the_server_in_the_environment_is_ready(
    models: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no key and uses no proxy. A server on 0.0.0.0 is reached at 127.0.0.1."""
    with Server(models, host="0.0.0.0", api_keys="key", linger=2) as server:
        port = server.address[1]
        with monkeypatch.context() as patch:
            patch.setenv("GAN_SERVE_HOST", "0.0.0.0")
            patch.setenv("GAN_SERVE_PORT", str(port))
            patch.setenv("http_proxy", "http://127.0.0.1:9")
            outcome = run("health")
        assert (outcome.code, outcome.out) == (0, f"the server at http://127.0.0.1:{port} is ready\n")
        server.process.send_signal(signal.SIGTERM)
        server.wait_until("stopping")
        outcome = run("health", "--url", f"http://localhost:{port}/")
        assert (outcome.code, outcome.error) == (1, f"error: the server at http://localhost:{port} is stopping\n")


class NotFound(http.server.BaseHTTPRequestHandler):
    """Another server, without the health route."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_another_server_gives_exit_code_1(run: Run) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), NotFound) as other:
        threading.Thread(target=other.handle_request).start()
        outcome = run("health", "--url", f"http://127.0.0.1:{other.server_port}")
    assert (outcome.code, outcome.error.count("\n")) == (1, 1)
    assert "is not gan-serve; check the URL" in outcome.error


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("http://127.0.0.1:9", 1, "no server answers at http://127.0.0.1:9 (Connection refused)"),
        ("http://host.invalid", 1, "no server answers at http://host.invalid"),
        ("http://[", 2, "http://[ is not a server's URL; give one such as"),
        ("http://foo..bar", 2, "http://foo..bar is not a server's URL"),
        ("http://foo bar", 2, "http://foo bar is not a server's URL"),
        ("127.0.0.1:8000", 2, "give one such as http://127.0.0.1:8000"),
    ],
)
def test_an_unreachable_server_gives_one_line(run: Run, url: str, code: int, message: str) -> None:
    outcome = run("health", "--url", url)
    assert (outcome.code, outcome.out, outcome.error.count("\n")) == (code, "", 1)
    assert message in outcome.error
