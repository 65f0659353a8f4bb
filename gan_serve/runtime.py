"""ONNX Runtime sessions on the device that was asked for, and errors that say how to mend what is missing."""

import contextlib
import io
import logging
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_serve.errors import Failure, UsageError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
INSTALL_CPU = 'pip install "gan-serve[cpu]"'
INSTALL_GPU = 'pip uninstall -y onnxruntime onnxruntime-gpu && pip install "gan-serve[gpu]"'
DRIVER = "an NVIDIA driver >= 580"

_MEND_GRAPH = "the graph is damaged, or needs another version of ONNX Runtime"
_SILENT = 4  # what goes wrong is raised, and told in one line

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """Where a model runs: `auto`, `cpu`, `cuda` or `cuda:N`."""

    kind: str
    ordinal: int = 0

    def __str__(self) -> str:
        return f"cuda:{self.ordinal}" if self.kind == "cuda" else self.kind


def parse_device(device: object) -> Device:
    """The device that a text names, or another library's device by its own text.

    Raises:
        UsageError: it names none.
    """
    text = str(device)
    match = re.fullmatch(r"(auto|cpu|cuda)|cuda:(\d{1,3})", text)
    if not match:
        raise UsageError(f"device {text!r} does not exist; use auto, cpu, cuda or cuda:N")
    return Device(match[1] or "cuda", int(match[2] or 0))


def import_runtime() -> Any:
    """The `onnxruntime` module.

    Raises:
        Failure: it is not installed, or twice, so that one half overwrote the other.
    """
    if _is_installed("onnxruntime") and _is_installed("onnxruntime_gpu"):
        raise Failure(
            "onnxruntime and onnxruntime-gpu are both installed and break each other; "
            f'mend it with: {INSTALL_GPU} (or "gan-serve[cpu]")'
        )
    # Else the official builds report to Microsoft, and keep an id of the machine in the user's cache.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise Failure(f"no ONNX Runtime ({error}); install it with: {INSTALL_CPU} (or {INSTALL_GPU})") from None
    onnxruntime.set_default_logger_severity(_SILENT)
    return onnxruntime


def _is_installed(distribution: str) -> bool:
    """Whether pip has put it here; importlib.metadata knows too, but its import takes as long as to load a model."""
    return any(next(Path(folder).glob(f"{distribution}-*.dist-info"), None) for folder in sys.path)


def open_session(content: bytes, source: str, device: Device, threads: int = 1) -> "InferenceSession":
    """A session for the ONNX file whose bytes are `content`, on the device that was asked for.

    With several `threads`, ONNX Runtime splits each layer among them, and on some processors the last bits depend on
    how: see docs/decisions/0009-one-thread-a-session.md. CUDA always has one.

    Raises:
        Failure: the device cannot be used, or the graph cannot be loaded.
    """
    runtime = import_runtime()
    has_cuda = CUDA in runtime.get_available_providers()
    if device.kind == "cpu" or (device.kind == "auto" and not has_cuda):
        return _open_cpu(runtime, content, source, threads)
    if not has_cuda:
        raise Failure(f"this ONNX Runtime has no CUDA; mend it with: {INSTALL_GPU} (needs {DRIVER})")
    try:
        return _open_cuda(runtime, content, device)
    except Failure as failure:
        session = _open_cpu(runtime, content, source, threads)  # if the file is the cause, this says so
        if device.kind == "cuda":
            raise
        _log.warning("running on the CPU: %s", failure)
        return session


def runs_on(session: "InferenceSession") -> str:
    """`cpu` or `cuda:N`, as the session reports it."""
    if session.get_providers()[0] != CUDA:
        return "cpu"
    return f"cuda:{session.get_provider_options()[CUDA]['device_id']}"


def _open_cpu(runtime: Any, content: bytes, source: str, threads: int) -> "InferenceSession":
    try:
        session: InferenceSession = runtime.InferenceSession(content, _options(runtime, threads), providers=[CPU])
    except Exception as error:  # the runtime's exceptions have no common base
        raise Failure(f"{source}: ONNX Runtime cannot load it ({one_line(error)}); {_MEND_GRAPH}") from None
    return session


def _open_cuda(runtime: Any, content: bytes, device: Device) -> "InferenceSession":
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
        runtime.preload_dlls()
    options = _options(runtime, threads=1)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    # TF32 would round what the CPU computes exactly; an exhaustive search for algorithms costs seconds per shape.
    cuda = {"device_id": device.ordinal, "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": 0}
    try:
        session: InferenceSession = runtime.InferenceSession(
            content, options, providers=[(CUDA, cuda), CPU], enable_fallback=0
        )
    except Exception as error:  # the runtime's exceptions have no common base
        raise Failure(f"CUDA cannot be used ({one_line(error)}); {_mend_cuda()}") from None
    if not _really_on_cuda(session):
        raise Failure(f"CUDA cannot be used: ONNX Runtime put the model on the CPU; {_mend_cuda()}")
    return session


def _really_on_cuda(session: "InferenceSession") -> bool:
    if session.get_providers()[0] != CUDA:
        return False
    return any(part.ep_name == CUDA for part in session.get_provider_graph_assignment_info())


def _mend_cuda() -> str:
    return f"it needs {DRIVER} and the CUDA 13 libraries: {INSTALL_GPU}; gan-serve doctor shows what is there"


def _options(runtime: Any, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    return options


def one_line(error: Exception) -> str:
    """The gist of a message that may run over many lines."""
    return " ".join(str(error).split())[:300]
