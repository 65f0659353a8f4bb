import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_models import DIGIT, build_model

from gan_serve import Failure, UsageError
from gan_serve import runtime as subject
from gan_serve.runtime import CPU, CUDA, Device, import_runtime, open_session, parse_device, runs_on

CONTENT = build_model(DIGIT).SerializeToString()


@pytest.mark.parametrize(
    ("text", "device"),
    [("auto", Device("auto")), ("cpu", Device("cpu")), ("cuda", Device("cuda", 0)), ("cuda:3", Device("cuda", 3))],
)
def test_device(text: str, device: Device) -> None:
    assert parse_device(text) == device


@pytest.mark.parametrize("text", ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:x", "cuda:1 ", "cpu:0"])
def test_no_device(text: str) -> None:
    with pytest.raises(UsageError, match="use auto, cpu, cuda or cuda:N"):
        parse_device(text)


def test_cpu_session_says_where_it_runs() -> None:
    for device in ("auto", "cpu"):
        assert runs_on(open_session(CONTENT, "model.onnx", parse_device(device))).startswith(device.replace("auto", ""))


def test_a_cpu_session_has_one_thread_by_default() -> None:
    for arguments, threads in (((), 1), ((3,), 3)):
        session = open_session(CONTENT, "model.onnx", parse_device("cpu"), *arguments)
        assert session.get_session_options().intra_op_num_threads == threads


def test_no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(Failure, match=r'pip install "gan-serve\[cpu\]"'):
        import_runtime()


def test_both_runtimes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("onnxruntime-1.27.0", "onnxruntime_gpu-1.27.0"):
        (tmp_path / f"{name}.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Failure, match=r"both installed.*pip uninstall -y onnxruntime onnxruntime-gpu && pip install"):
        import_runtime()


def test_the_runtime_stores_nothing_about_its_user(tmp_path: Path) -> None:
    """It would keep an id and reports to send in the user's cache; where CI is set, it does not."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-c", "from gan_serve.runtime import import_runtime; import_runtime()"]
    subprocess.run(command, env=environment | {"HOME": str(tmp_path / "home")}, cwd=tmp_path, check=True)
    assert not list((tmp_path / "home").rglob("*"))


class Session:
    """What ONNX Runtime makes on a machine with a GPU."""

    def __init__(self, providers: list[str], nodes_on: str) -> None:
        self._providers, self._nodes_on = providers, nodes_on

    def get_providers(self) -> list[str]:
        return self._providers

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return {CUDA: {"device_id": "1"}}

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [SimpleNamespace(ep_name=self._nodes_on)]


def gpu_runtime(session: Session | Exception) -> Any:
    """An `onnxruntime-gpu` whose CUDA sessions turn out to be `session`."""

    def open_one(content: bytes, options: Any, providers: list[Any], **_: Any) -> Session:
        if providers == [CPU]:
            return Session([CPU], CPU)
        if isinstance(session, Exception):
            raise session
        return session

    options = SimpleNamespace(add_session_config_entry=lambda key, value: None)
    return SimpleNamespace(
        get_available_providers=lambda: [CUDA, CPU],
        preload_dlls=lambda: print("libcudnn.so is missing"),
        SessionOptions=lambda: options,
        InferenceSession=open_one,
    )


UNUSABLE = [RuntimeError("CUDA failure 35:\n driver too old"), Session([CPU], CPU), Session([CUDA, CPU], CPU)]


@pytest.mark.parametrize("session", UNUSABLE)
def test_unusable_cuda_says_how_to_fix_it(monkeypatch: pytest.MonkeyPatch, capsys, session) -> None:
    monkeypatch.setattr(subject, "import_runtime", lambda: gpu_runtime(session))
    with pytest.raises(Failure, match=r"driver >= 580 .*pip install \"gan-serve\[gpu\]\"") as error:
        open_session(CONTENT, "model.onnx", Device("cuda"))
    assert "\n" not in str(error.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("session", UNUSABLE)
def test_auto_falls_back_with_one_line(monkeypatch: pytest.MonkeyPatch, caplog, session) -> None:
    monkeypatch.setattr(subject, "import_runtime", lambda: gpu_runtime(session))
    with caplog.at_level(logging.WARNING):
        assert runs_on(open_session(CONTENT, "model.onnx", Device("auto"))) == "cpu"
    assert len(caplog.records) == 1
    assert caplog.messages[0].startswith("running on the CPU: CUDA cannot be used")


@pytest.mark.parametrize("device", [Device("cuda"), Device("auto")])
def test_a_damaged_graph_is_not_reported_as_unusable_cuda(
    monkeypatch: pytest.MonkeyPatch, caplog, device: Device
) -> None:
    runtime = gpu_runtime(Session([CUDA, CPU], CUDA))
    runtime.InferenceSession = import_runtime().InferenceSession
    runtime.SessionOptions = import_runtime().SessionOptions
    monkeypatch.setattr(subject, "import_runtime", lambda: runtime)
    with pytest.raises(
        Failure, match=r"model.onnx: ONNX Runtime cannot load it .*; the graph is damaged, or needs another"
    ):
        open_session(CONTENT[: len(CONTENT) // 2], "model.onnx", device, 1)
    assert caplog.messages == []


def test_cuda_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "import_runtime", lambda: gpu_runtime(Session([CUDA, CPU], CUDA)))
    for device in (Device("cuda", 1), Device("auto")):
        assert runs_on(open_session(CONTENT, "model.onnx", device)) == "cuda:1"


def test_cuda_without_a_gpu_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "import_runtime", lambda: SimpleNamespace(get_available_providers=lambda: [CPU]))
    with pytest.raises(Failure, match="this ONNX Runtime has no CUDA; fix it with: pip uninstall"):
        open_session(CONTENT, "model.onnx", Device("cuda"))
