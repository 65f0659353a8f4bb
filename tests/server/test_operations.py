"""Operating a server: startup, reload, shutdown, keys, limits and settings."""

import io
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from command_line import Run
from PIL import Image as PILImage
from server_process import ON_ONE_CORE, PATIENCE, Server
from small_models import CLASSIFIER, DIGIT, GREY, LATENT, PLAIN, metadata_of, save_model

HEAD = b"POST /v1/models/digits/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ADMIN = {"Authorization": "Bearer secret"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository that a test may change."""
    save_model(tmp_path / "models", DIGIT)
    return tmp_path / "models"


def reload(server: Server) -> requests.Response:
    return server.post("/v1/admin/reload", headers=ADMIN)


def test_a_reload_finds_new_changed_and_missing_models(folder: Path) -> None:
    with Server(folder, admin_token="secret") as server:
        before = server.get("/v1/models/digits").json()["sha256"]
        save_model(folder, PLAIN)
        save_model(folder, replace(DIGIT, version=2))
        assert reload(server).status_code == 200
        assert server.generate("plain").status_code == 200
        assert server.generate("digits").headers["gan-serve-version"] == "2"
        assert server.post("/v1/models/digits/generate?version=1").headers["gan-serve-sha256"] == before
        shutil.rmtree(folder / "digits" / "1")
        shutil.rmtree(folder / "plain")
        save_model(folder, replace(DIGIT, version=1, description="changed"))
        assert reload(server).status_code == 200
        assert server.generate("plain").status_code == 404
        assert server.get("/v1/models/digits?version=1").json()["sha256"] != before
        assert server.state() == "ready"


def test_an_invalid_file_keeps_the_old_version_in_service_and_is_reported(folder: Path) -> None:
    """A server that was ready stays ready, whatever a reload finds."""
    for number in range(8):  # so that a reload takes long enough for a probe to see it
        save_model(folder, metadata_of(f"another{number}", (LATENT,), GREY))
    with Server(folder, admin_token="secret") as server, ThreadPoolExecutor(1) as reloader:
        before = server.generate("digits", json={"seed": 1}).content
        good = (folder / "digits/1/model.onnx").read_bytes()
        (folder / "digits/1/model.onnx").write_bytes(b"\x08broken")
        save_model(folder, PLAIN, b"\x08broken")
        answer = reload(server)
        assert answer.status_code == 409
        failures = {each["name"]: each["error"] for each in answer.json()["failures"]}
        assert failures["digits"] == "digits/1/model.onnx: the file is truncated or damaged; copy or export it again"
        assert str(folder) not in answer.text
        assert server.generate("digits", json={"seed": 1}).content == before
        assert server.generate("plain").json()["error"] == "plain cannot be loaded; see /v1/health for the reason"
        reloads = reloader.submit(lambda: [reload(server).status_code for _ in range(5)])
        while not reloads.done():
            assert server.get("/v2/health/ready").status_code == 200
        assert reloads.result() == [409] * 5
        shutil.rmtree(folder / "plain")
        assert {each["name"] for each in reload(server).json()["failures"]} == {"digits"}
        (folder / "digits/1/model.onnx").write_bytes(good)
        assert (reload(server).status_code, server.state()) == (200, "ready")
        shutil.rmtree(folder)
        assert reload(server).status_code == 409
        assert server.generate("digits", json={"seed": 1}).content == before


@pytest.mark.parametrize("way", ["SIGHUP", "management"])
def test_a_reload_never_makes_a_server_less_ready(folder: Path, way: str) -> None:
    """A missing model stays in service and is reported until another one replaces it."""
    save_model(folder, PLAIN)
    with Server(folder, admin_token="secret") as server:

        def reload_finds(models: int, failures: int) -> bool:
            message = f"reloaded: {models} models, {failures} failures"
            known = len(server.logged(message))
            if way == "SIGHUP":
                server.process.send_signal(signal.SIGHUP)
                wait_for(lambda: len(server.logged(message)) > known)
                return True
            answer = reload(server)
            names = {each["name"] for each in answer.json()["models"]}
            return (answer.status_code, len(names), len(answer.json()["failures"])) == (
                409 if failures else 200,
                models,
                failures,
            )

        def served() -> dict[str, int]:
            assert server.get("/v2/health/ready").status_code == 200
            return {name: server.generate(name).status_code for name in ("digits", "plain")}

        for name in ("digits", "plain"):
            shutil.rmtree(folder / name)
        assert reload_finds(2, 2)
        assert served() == {"digits": 200, "plain": 200}
        index = {each["name"]: (each["state"], each["reason"]) for each in server.post("/v2/repository/index").json()}
        reason = "is missing from the models folder and has no replacement; the loaded version stays in service"
        assert index == {"digits": ("READY", reason), "plain": ("READY", reason)}
        assert server.logged(f"digits version 1 {reason}")
        save_model(folder, replace(DIGIT, version=2), b"no model")
        assert reload_finds(2, 3)
        assert served() == {"digits": 200, "plain": 200}
        save_model(folder, PLAIN)
        assert reload_finds(2, 2)  # no version of digits in the folder loads
        assert served() == {"digits": 200, "plain": 200}
        shutil.rmtree(folder / "digits")
        save_model(folder, replace(DIGIT, version=3))
        assert reload_finds(2, 0)
        assert server.generate("digits").headers["gan-serve-version"] == "3"
        shutil.rmtree(folder / "plain")
        assert reload_finds(1, 0)
        assert served() == {"digits": 200, "plain": 404}


def test_sighup_reloads(folder: Path) -> None:
    with Server(folder) as server:
        save_model(folder, PLAIN)
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 30
        while server.generate("plain").status_code != 200:
            assert time.monotonic() < until
        assert server.logged("reloaded: 2 models, 0 failures")


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer wrong"}, 401), (ADMIN, 404)])
def test_the_admin_routes_need_their_token(server: Server, folder: Path, headers: dict[str, str], status: int) -> None:
    """The shared server has the token `admin`; a server without a token has no admin routes."""
    if status == 401:
        assert server.post("/v1/admin/reload", headers=headers).status_code == 401
        return
    with Server(folder) as closed:
        assert closed.post("/v1/admin/reload", headers=headers).status_code == 404


def test_a_key_is_required_if_any_are_set(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("third\n\n fourth \n")
    with Server(folder, wait=False, api_keys="first,second", api_keys_file=tmp_path / "keys") as server:
        assert server.get("/v2/health/live").status_code == 200
        assert server.get("/v1/health").status_code in (200, 503)
        for path in ("/v1/models", "/v2/models/digits", "/metrics", "/openapi.json", "/docs"):
            for headers in ({}, {"Authorization": "Bearer fifth"}, {"X-API-Key": ""}, {"Authorization": "Basic first"}):
                answer = server.get(path, headers=headers)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            for key in ("first", "second", "third", "fourth"):
                assert server.get(path, headers={"X-API-Key": key}).status_code != 401
                assert server.get(path, headers={"Authorization": f"Bearer {key}"}).status_code != 401
        document = server.get("/openapi.json", headers={"X-API-Key": "first"}).json()
        assert document["security"] == [{"key": []}]
        assert [path for path, each in document["paths"].items() if each["get"].get("security") == []] == ["/v1/health"]
        assert "first" not in "".join(server.lines)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("API_KEYS", " , ", r"api_keys \(GAN_SERVE_API_KEYS\) holds no key; leave it unset if you need none"),
        (
            "API_KEYS",
            "key,schl\u00fcssel",
            r"api_keys \(GAN_SERVE_API_KEYS\) holds a key that is not printable ASCII; choose another one",
        ),
        ("API_KEYS_FILE", "blank", r"api_keys_file \(GAN_SERVE_API_KEYS_FILE\) holds no key; .*"),
        ("ADMIN_TOKEN", " ", r"admin_token \(GAN_SERVE_ADMIN_TOKEN\) holds no key; .*"),
        ("ADMIN_TOKEN", "\u00fc", r"admin_token \(GAN_SERVE_ADMIN_TOKEN\) holds a key that is not printable ASCII; .*"),
    ],
)
def test_unusable_keys_never_mean_an_open_server(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    Path("blank").write_text("\n \n")
    monkeypatch.setenv(f"GAN_SERVE_{variable}", value)
    monkeypatch.setenv("GAN_SERVE_HOST", "host.invalid")  # so that a server that accepts the keys ends, too
    outcome = run("serve")
    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch(rf"error: {message}\n", outcome.error)


def test_only_pages_of_the_allowed_origins_may_use_the_api(server: Server, folder: Path) -> None:
    origin = {"Origin": "https://example.org"}
    assert "access-control-allow-origin" not in server.get("/v1/models", headers=origin).headers
    with Server(folder, cors_origins="https://example.org, https://example.com", api_keys="key") as named:
        asking = origin | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        assert requests.options(f"{named.url}/v1/models", headers=asking, timeout=60).status_code == 200
        for key, status in (("", 401), ("key", 200)):
            answer = named.get("/v1/models/digits/generate", headers=origin | {"X-API-Key": key})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "https://example.org"
            assert "Gan-Serve-Seed" in answer.headers["access-control-expose-headers"]


HELD = """
import os, sys, time
from pathlib import Path
from gan_serve.cli import run
from gan_serve.generator import Generator
from gan_serve.server.api import generation

folder = Path(os.environ["GAN_SERVE_MODELS"])

def held_by(name, function):
    def hold(*arguments):
        while (folder / name).exists():
            (folder / f"{name}-holds").touch()
            time.sleep(0.02)
        return function(*arguments)

    return hold

Generator.infer = held_by("held", Generator.infer)
generation.decode_images = held_by("unread", generation.decode_images)
os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
sys.exit(run(["serve"]))
"""  # with one worker: models hang while the file `held` exists, and decoding hangs while `unread` exists


def test_it_is_live_before_it_is_ready(folder: Path) -> None:
    (folder / "held").touch()
    with Server(folder, script=HELD, wait=False) as server:
        assert server.get("/v2/health/live").status_code == 200
        assert (server.state(), server.get("/v2/health/ready").status_code) == ("loading", 503)
        assert server.generate("digits").json()["error"] == "digits is still loading"
        (folder / "held").unlink()
        server.wait_until("ready")
        assert server.get("/v2/health/ready").status_code == 200
        providers = {each["provider"] for each in server.get("/v1/health").json()["models"]}
        assert providers == {"cpu"}


def test_it_is_not_ready_while_its_models_hang(folder: Path) -> None:
    with Server(folder, script=HELD, deadline=1) as server:
        (folder / "held").touch()
        server.wait_until("stuck")
        assert server.get("/v2/health/ready").json()["error"] == "the server is stuck"
        assert server.get("/v2/health/live").status_code == 200
        (folder / "held").unlink()
        server.wait_until("ready")


BATCHING = """
import sys
from gan_serve.cli import run
from gan_serve.server.scheduling.model_queue import BUCKETS, ModelQueue

ModelQueue.warm_sizes = BUCKETS
sys.exit(run(["serve"]))
"""  # a server that warms up with the batches of CUDA


def test_a_short_queue_has_room_for_the_warm_up(folder: Path) -> None:
    with Server(folder, script=BATCHING, queue=8, max_count=8) as server:
        assert server.generate("digits", json={"count": 8}).status_code == 200


def test_empty_variables_count_as_unset() -> None:
    with Server("", deadline="", api_keys="", api_keys_file="", demo="", wait=False) as server:
        assert server.get("/v1/models").status_code == 200


def test_a_server_with_an_invalid_model_is_not_ready(folder: Path) -> None:
    save_model(folder, PLAIN, b"no model")
    with Server(folder, wait=False) as server:
        server.wait_until("broken")
        assert server.get("/v2/health/ready").status_code == 503
        assert server.generate("digits").status_code == 200
        assert server.generate("plain").json()["error"] == "plain cannot be loaded; see /v1/health for the reason"
        failures = server.get("/v1/health").json()["failures"]
        assert failures == [{"name": "plain", "version": 1, "error": "plain/1/model.onnx: not an ONNX file"}]


def accepted(server: Server) -> int:
    """Return how many requests to digits are answered or in progress."""
    page = server.get("/metrics").text
    counts = re.findall(
        r'^gan_serve_requests_(?:in_progress|total{code="200",model="digits"}) (\d+)', page, re.MULTILINE
    )
    return sum(map(int, counts)) - 1


BROKEN = """
import sys
from gan_serve.cli import run
from gan_serve.server.api import v1

def broken(*arguments):
    raise RuntimeError("secret at /root/place")

v1.encode = broken
sys.exit(run(["serve"]))
"""


def test_an_unexpected_error_is_logged_but_not_revealed(models: Path) -> None:
    with Server(models, script=BROKEN) as server:
        answer = server.generate("digits")
        assert answer.status_code == 500
        assert set(answer.json()) == {"error", "request_id"}
        assert "secret" not in answer.text
        assert server.generate("digits").status_code == 500
        assert server.state() == "ready"
        assert server.stop() == 0
        stacks = [each for each in map(json.loads, server.lines) if "exception" in each]
    assert [each["request_id"] for each in stacks[:1]] == [answer.json()["request_id"]]
    assert len(stacks) == 2
    assert "RuntimeError: secret at /root/place" in stacks[0]["exception"]


def test_sigterm_finishes_accepted_requests_and_exits_with_0(models: Path) -> None:
    slow = {"label": "0-9", "count": 6, "scale": 20, "format": "zip", "seed": 1}
    with Server(models, queue=2000, linger=0) as server, ThreadPoolExecutor(16) as clients:
        answers = [clients.submit(server.generate, "digits", json=slow) for _ in range(16)]
        while accepted(server) < 16:
            time.sleep(0.01)
        assert server.stop() == 0
        assert [answer.result().status_code for answer in answers] == [200] * 16
        (stopping,) = (each["message"] for each in map(json.loads, server.lines) if "stopping" in each["message"])
        assert int(re.findall(r"\d+", stopping)[0]) > 4


def test_a_stopping_server_is_not_ready_but_still_answers(models: Path) -> None:
    with Server(models, linger=1.5) as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_until("stopping")
        assert server.get("/v2/health/ready").status_code == 503
        answer = server.generate("digits")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert server.process.wait(30) == 0


def test_after_sigkill_there_is_nothing_to_repair(folder: Path) -> None:
    with Server(folder) as server:
        before = server.generate("digits", json={"seed": 1}).content
        server.process.kill()
    files = sorted(folder.rglob("*"))
    with Server(folder) as server:
        assert server.generate("digits", json={"seed": 1}).content == before
        assert server.stop(signal.SIGINT) == 0
    assert sorted(folder.rglob("*")) == files


def test_slow_clients_are_disconnected_and_delay_nobody(models: Path) -> None:
    with Server(models, patience=0.5) as server:
        began = time.monotonic()
        slow = [socket.create_connection(server.address) for _ in range(60)]
        for number, each in enumerate(slow):
            each.settimeout(10)
            each.sendall((b"", HEAD[:20], HEAD + b"Content-Length: 9\r\n\r\n{")[number % 3])
        assert server.generate("digits").status_code == 200
        for each in slow:
            assert each.recv(100) == b""
            each.close()
        assert 0.4 < time.monotonic() - began < 8
        assert server.generate("digits").status_code == 200


def test_a_client_that_reads_nothing_is_disconnected(models: Path) -> None:
    body = b'{"count": 64, "format": "npy"}'
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def send_requests(client: socket.socket) -> None:
        while True:
            client.sendall(request)
            time.sleep(0.01)

    with Server(models, patience=0.5) as server:
        lazy = socket.socket()
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        lazy.connect(server.address)
        lazy.settimeout(10)
        with pytest.raises(ConnectionError):
            send_requests(lazy)
        lazy.close()


def test_requests_of_disconnected_clients_are_not_computed(folder: Path) -> None:
    """The only worker is held at the first request, so that the others wait when twenty clients disconnect."""
    body = b'{"count": 32}'
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with Server(folder, script=HELD, queue=4000) as server, ThreadPoolExecutor(4) as clients:
        before = images(server, "digits")
        (folder / "held").touch()
        stay = [clients.submit(server.generate, "digits") for _ in range(4)]
        wait_for(lambda: waiting(server) == 3)
        with ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(socket.create_connection(server.address)).sendall(request)
            wait_for(lambda: waiting(server) == 3 + 20 * 32)
        wait_for(lambda: len(disconnected(server)) == 20)
        assert waiting(server) == 3
        (folder / "held").unlink()
        assert [answer.result().status_code for answer in stay] == [200] * 4
        assert images(server, "digits") == before + 4
        assert 'gan_serve_failures_total{model="digits",reason="gone"} 20.0' in server.get("/metrics").text


def test_a_client_that_disconnects_before_its_image_is_decoded_is_not_computed(folder: Path) -> None:
    """One client disconnects in the middle of its body, another one while its image is being decoded."""
    save_model(folder, CLASSIFIER)
    image = io.BytesIO()
    PILImage.new("RGB", (40, 40)).save(image, "png")
    content = image.getvalue()
    head = b"POST /v1/models/classifier/generate HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(content) + content
    with Server(folder, script=HELD) as server:
        before = images(server, "classifier")
        with socket.create_connection(server.address) as client:
            client.sendall(request[:-10])
            wait_for(lambda: "gan_serve_requests_in_progress 2.0" in server.get("/metrics").text)
        wait_for(lambda: len(disconnected(server)) == 1)
        (folder / "unread").touch()
        with socket.create_connection(server.address) as client:
            client.sendall(request)
            wait_for((folder / "unread-holds").exists)
        wait_for(lambda: len(disconnected(server)) == 2)
        (folder / "unread").unlink()
        assert server.generate("classifier", files={"image": content}).status_code == 200  # by the same worker
        assert images(server, "classifier") == before + 1
        assert not any('"exception"' in line for line in server.lines)


def test_a_running_task_ends_at_its_deadline_and_at_shutdown(models: Path) -> None:
    """An image that would keep the only worker busy for longer delays neither the next request nor the shutdown."""
    image = io.BytesIO()
    PILImage.new("RGB", (2048, 2048)).save(image, "png")

    def enlarge() -> int:
        return server.generate("enlarger", files={"image": ("a.png", image.getvalue())}).status_code

    with Server(models, script=ON_ONE_CORE, deadline=1) as server, ThreadPoolExecutor(1) as client:
        assert enlarge() == 504
        assert server.generate("digits").status_code == 200
        last = client.submit(enlarge)
        wait_for(lambda: "gan_serve_requests_in_progress 2.0" in server.get("/metrics").text)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 1 + 5 + 0.2  # deadline, grace, linger
        assert last.result() == 504
        assert not any('"exception"' in line for line in server.lines)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def waiting(server: Server) -> int:
    """Return how many images wait for digits."""
    page = server.get("/metrics").text
    return int(re.findall(r'^gan_serve_images_waiting{model="digits"} (\d+)', page, re.MULTILINE)[0])


def disconnected(server: Server) -> list[int]:
    """Return the statuses of requests whose clients have disconnected."""
    return [each["status"] for each in server.logged("request") if each["status"] == 499]


def images(server: Server, model: str) -> int:
    """Return how many images a model has computed."""
    page = server.get("/metrics").text
    return int(re.findall(rf'^gan_serve_images_total{{model="{model}"}} (\d+)', page, re.MULTILINE)[0])


def test_requests_beyond_the_concurrency_limit_are_rejected(models: Path) -> None:
    with Server(models, concurrency=2) as server, ThreadPoolExecutor(24) as clients:
        fields = {"count": 64, "scale": 20, "seed": 1}
        answers = list(clients.map(lambda _: server.generate("digits", json=fields), range(24)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert all(answer.headers["retry-after"] == "1" for answer in refused)


def test_images_waiting_for_any_version_are_counted(folder: Path) -> None:
    save_model(folder, replace(DIGIT, version=2))
    with Server(folder, script=HELD) as server, ThreadPoolExecutor(3) as clients:
        (folder / "held").touch()
        answers = [clients.submit(server.post, "/v1/models/digits/generate?version=1") for _ in range(3)]
        wait_for(lambda: waiting(server) == 2)  # the third one is running
        (folder / "held").unlink()
        assert [answer.result().status_code for answer in answers] == [200] * 3
        assert waiting(server) == 0


def test_connections_beyond_the_limit_are_rejected(models: Path) -> None:
    with Server(models, connections=2) as server, ExitStack() as stack:
        answers = [stack.enter_context(requests.Session()).get(f"{server.url}/v1/models", timeout=60) for _ in range(3)]
        assert server.get("/v2/health/ready").status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 503]
    assert answers[-1].json()["error"] == "2 connections are open already"
    assert answers[-1].headers["connection"] == "close"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], r"port \(GAN_SERVE_PORT\): Input should be less than or equal to 65535"),
        (["--queue", "3"], r"queue \(GAN_SERVE_QUEUE\) must be at least max_count; raise it"),
        (["--device", "tpu"], r"device 'tpu' does not exist"),
        (["--models", "absent"], r"no models folder"),
        (["--host", "host.invalid"], r"cannot listen on host\.invalid"),
        (["--api-keys-file", "absent"], r"api_keys_file absent: cannot be read"),
        (["--api-keys-file", "~/absent"], r"api_keys_file /home/ada/absent: cannot be read"),
        (["--root-path", "gan"], r"root_path \(GAN_SERVE_ROOT_PATH\): 'gan' is not a path such as /images"),
        (["--api-keys", "x"], r"No such option"),
    ],
)
def test_invalid_settings_give_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    outcome = run("serve", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert re.match(rf"error: .*{message}.*\n\Z", outcome.error)


def test_a_folder_without_models_gives_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("serve", "--models", tmp_path / "empty").error.startswith("error: no models in")
    save_model(tmp_path / "broken", metadata_of("broken", (LATENT,), GREY), b"no model")
    command = [sys.executable, "-m", "gan_serve", "serve", "--port", "0", "--models", str(tmp_path / "broken")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "error: no model can be served: broken/1/model.onnx: not an ONNX file\n" in done.stderr


def test_an_unavailable_device_ends_the_server(models: Path) -> None:
    command = [sys.executable, "-m", "gan_serve", "serve", "--port", "0", "--models", str(models), "--device", "cuda"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert re.search(
        r"^error: no model can be served: this ONNX Runtime has no CUDA; fix it with: .*$", done.stderr, re.M
    )


def test_without_the_extra_one_line_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['fastapi'] = sys.modules['pydantic_settings'] = None\n"
        "from gan_serve.cli import run; sys.exit(run(['serve']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        r'error: the server is not installed \(.*\); .*pip install "gan-serve\[cpu,serve\]"\n', done.stderr
    )


def test_a_port_in_use_gives_one_line(server: Server, run: Run) -> None:
    outcome = run("serve", "--port", server.address[1])
    assert re.fullmatch(
        r"error: cannot listen on 127\.0\.0\.1 port \d+ \(.*in use\); use another host or port\n", outcome.error
    )


def test_help_names_every_setting_and_its_variable(run: Run) -> None:
    words = " ".join(run("serve", "--help").out.split())
    assert "--deadline DEADLINE Seconds from a request's head to its response; then 504. [default: 30.0]" in words
    assert "[env: GAN_SERVE_DEADLINE]" in words
    assert "--admin-token" not in words
    words = " ".join(run("demo", "--help").out.split())
    assert "0: any free port. [default: 7860]" in words
    assert "Minimum level to log. [default: warning]" in words
