"""A local Ray cluster, whose replicas and workers are killed without effect on clients."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import yaml
from command_line import Run
from small_models import DIGIT, save_model

import gan_serve
from gan_serve.errors import Failure, UsageError

# Ray Serve defines its settings in the way of an older Pydantic.
pytestmark = pytest.mark.filterwarnings("ignore:Using extra keyword arguments on `Field` is deprecated")

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120.0  # seconds; a process of Ray takes some to start, and many at once take longer
SEEDS = 10
COUNT = 5000
GENERATE = "/v1/models/digits/generate"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A cluster of this test process alone, small enough to stand beside another one; its address."""
    # Sockets have short names only, which those in pytest's folders would not be.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # else whatever else runs here goes before them
        patch.setenv("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", str(PATIENCE))
        ray = importlib.import_module("ray")
        ray.init(
            "local",
            num_cpus=3,
            object_store_memory=80 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=folder,
        )
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()


@pytest.fixture(scope="module")
def url(cluster: str, models: Path) -> Iterator[str]:
    """Two replicas that serve the small models."""
    from ray import serve

    from gan_serve.deploy.ray import app

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve.start(http_options={"port": port})
    settings = {"models": models, "max_count": 16, "max_body": 300_000, "max_pixels": 100_000}
    serve.run(app({"replicas": 2, "num_cpus": 0.5, **settings}), name="gan-serve")
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()


def processes(title: str) -> list[int]:
    """Processes of Ray that were begun, at whatever remove, by this one."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            parents[int(folder.name)] = parent, (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has ended
            continue

    def is_ours(process: int) -> bool:
        return process == os.getpid() or (process in parents and is_ours(parents[process][0]))

    return [process for process, (_, line) in parents.items() if title in line and is_ours(process)]


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_replicas_reply_like_a_server(url: str, server) -> None:
    asked = [
        ("GET", f"{GENERATE}?label=3&seed=7", {}),
        ("POST", GENERATE, {"json": {"label": [1, 2], "count": 3, "seed": 7, "grid": True, "format": "webp"}}),
        ("GET", "/v1/models", {}),
        ("GET", f"{GENERATE}?label=33", {}),
        ("POST", GENERATE, {"data": "x" * 400_000}),
        ("GET", "/v1/models/nobody", {}),
        ("GET", "/v1/nothing", {}),
    ]
    for method, path, options in asked:
        one, other = (
            requests.request(method, base + path, headers={"X-Request-ID": "me"}, timeout=PATIENCE, **options)
            for base in (url, server.url)
        )
        assert one.status_code == other.status_code
        assert one.content == other.content
        assert told(one) == told(other)
    in_chunks = requests.post(url + GENERATE, data=iter([b"x" * 200_000] * 2), timeout=PATIENCE)
    assert (in_chunks.status_code, in_chunks.json()["error"]) == (413, "the body is too large; send up to 300000 bytes")
    assert requests.get(f"{url}/v1/health", timeout=PATIENCE).json()["state"] == "ready"
    page = requests.get(f"{url}/metrics", timeout=PATIENCE)
    assert (
        page.headers["Content-Type"] == requests.get(f"{server.url}/metrics", timeout=PATIENCE).headers["Content-Type"]
    )
    assert len(set(re.findall(r'gan_serve_requests_in_progress{replica="(\w+)"} 1\.0', page.text))) == 2


def told(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in ("date", "server")}


def test_no_request_is_lost_when_a_replica_is_killed_under_load(url: str, models: Path) -> None:
    digits = gan_serve.load("digits", device="cpu", models=models)
    expected = [digits.generate(seed=seed, count=16).encode("npy") for seed in range(SEEDS)]
    answers: list[tuple[int, bool]] = []
    done = threading.Event()

    def call(seed: int) -> None:
        while not done.is_set():
            wish = {"seed": seed, "count": 16, "format": "npy"}
            answer = requests.post(url + GENERATE, json=wish, timeout=PATIENCE)
            answers.append((answer.status_code, answer.content == expected[seed]))

    def answered(more: int) -> None:
        before = len(answers)
        wait_until(lambda: len(answers) > before + more)

    with ThreadPoolExecutor(SEEDS) as callers:
        calls = callers.map(call, range(SEEDS))
        try:
            answered(20)
            killed, kept = processes(":Replica")
            os.kill(killed, signal.SIGKILL)
            answered(80)
        finally:
            done.set()
        list(calls)
    assert set(answers) == {(200, True)}
    wait_until(lambda: len(processes(":Replica")) == 2)
    assert kept in processes(":Replica")


def generate(models: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = ["generate", "--model", "digits", "--models", str(models), "--count", str(COUNT), "--seed", "7"]
    return subprocess.Popen(
        [sys.executable, "-m", "gan_serve", *command, "--output", str(folder), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def images(folder: Path) -> dict[Path, int]:
    """Those that are visible, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("*.png")}


def test_a_job_survives_its_interruption_and_its_workers(cluster: str, models: Path, tmp_path: Path) -> None:
    spread, local = tmp_path / "spread", tmp_path / "local"
    process = generate(models, spread, "--ray", cluster)
    wait_until(lambda: spread.exists() and len(list(spread.iterdir())) > 100)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130, said
    assert re.fullmatch(
        r"seed 7\nerror: interrupted: [\d,]+ of 5,000 done; run the same command again to resume\n", said
    )
    before = images(spread)
    assert 100 < len(before) < COUNT

    process = generate(models, spread, "--ray", cluster)
    wait_until(lambda: len(list(spread.iterdir())) > len(before) + 50)
    os.kill(processes("ray::_make")[0], signal.SIGKILL)
    said = process.communicate(timeout=PATIENCE)[1]
    assert (process.returncode, said) == (0, f"seed 7\ncontinuing: {len(before):,} of 5,000 done\n")
    assert before.items() <= images(spread).items()  # none was made again

    process = generate(models, local)
    assert process.communicate(timeout=PATIENCE) == (None, "seed 7\n")
    assert {path.name: path.read_bytes() for path in spread.iterdir()} == {
        path.name: path.read_bytes() for path in local.iterdir()
    }


def test_a_folder_that_workers_cannot_see_is_reported(cluster: str, models: Path, tmp_path: Path) -> None:
    from gan_serve.deploy.shards import run_job
    from gan_serve.formats import Output
    from gan_serve.jobs.job import Job
    from gan_serve.repository import Repository
    from gan_serve.request import make_request

    model = Repository(models).find("digits")
    job = Job(model.metadata, model.sha256, make_request(model.metadata, {}, count=5), Output(tmp_path, "png", True))
    parts = run_job(job, model, "auto", lambda done: (tmp_path / ".gan-serve-job.json").unlink())
    with pytest.raises(Failure, match="is not the folder of this job; use a folder that all nodes share"):
        list(parts)


def test_every_output_of_a_model_is_written_and_its_numbers_come_back(
    cluster: str, models: Path, tmp_path: Path
) -> None:
    from gan_serve.deploy.shards import run_job
    from gan_serve.formats import Output
    from gan_serve.jobs.job import Job
    from gan_serve.repository import Repository
    from gan_serve.request import make_request

    model = Repository(models).find("apart")
    request = make_request(model.metadata, {}, count=3, seed=1)
    job = Job(model.metadata, model.sha256, request, Output(tmp_path / "spread", "png", True))
    parts = [part for part in run_job(job, model, "auto", lambda done: None) if part[0]]
    result = gan_serve.load("apart", models=models).generate(3, seed=1)
    assert parts == [(3, result.summaries())]
    made = {path.name: path.read_bytes() for path in (tmp_path / "spread").iterdir()}
    assert made == dict(result.encode_each("png"))
    assert len(made) == 6


def test_options_that_a_cluster_does_not_support_are_rejected(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, message in [
        (["--model", "digits"], "--ray fills a folder; ask for several images"),
        (["--model", "digits", "--count", "4", "--output", "-"], "leave out --output -"),
        (["--model", "digits", "--count", "4", "--show"], "leave out --show"),
        (["--model", "inverter", "--image", "x.png"], "--ray needs a model that makes images from a seed alone"),
    ]:
        outcome = run("generate", "--ray", "auto", *arguments)
        assert outcome.code == 2
        assert message in outcome.error
    nowhere = run("generate", "--ray", "127.0.0.1:1", "--model", "digits", "--count", "4")
    assert nowhere.code == 1
    assert re.fullmatch(
        r"error: no Ray cluster at '127.0.0.1:1' \(.*refused\); start one, or use --ray local\n", nowhere.error
    )
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "gan_serve.deploy.shards", raising=False)
    outcome = run("generate", "--ray", "auto", "--model", "digits", "--count", "4")
    assert (outcome.code, outcome.error) == (
        1,
        'error: Ray is not installed (no ray); install it with: pip install "gan-serve[cpu,ray]"\n',
    )


def test_a_replica_is_as_healthy_as_its_scheduler(tmp_path: Path) -> None:
    import asyncio

    from gan_serve.deploy.ray import Arguments, Replica
    from gan_serve.server.errors import ApiError
    from gan_serve.server.settings import load_settings

    save_model(tmp_path, DIGIT)
    replica = Replica(load_settings(Arguments, models=tmp_path))
    asyncio.run(replica.check_health())
    replica.__del__()
    with pytest.raises(ApiError, match="stopping"):
        asyncio.run(replica.check_health())
    (tmp_path / "digits/1/model.onnx").write_bytes(b"broken")
    with pytest.raises(Failure, match=r"not every model can be served: digits/1/model\.onnx"):
        Replica(load_settings(Arguments, models=tmp_path))


def test_arguments_are_checked_before_anything_starts() -> None:
    from gan_serve.deploy.ray import app

    for arguments, message in [
        ({"replicas": "many"}, r"replicas .*GAN_SERVE_REPLICAS"),
        ({"replica": 2}, "replica "),
        ({"admin_token": "x"}, "leave out admin_token"),
    ]:
        with pytest.raises(UsageError, match=message):
            app(arguments)


def test_the_example_is_a_configuration_of_this_application() -> None:
    from ray.serve.schema import ServeDeploySchema

    from gan_serve.deploy.ray import Arguments, app

    document = yaml.safe_load((ROOT / "deploy/ray/serve.yaml").read_text())
    (application,) = ServeDeploySchema.model_validate(document).applications
    assert application.import_path == f"{app.__module__}:{app.__name__}"
    assert set(application.args) <= set(Arguments.model_fields)
    assert app(application.args)
    assert {each.name for each in application.deployments} <= {"Front", "Replica"}
