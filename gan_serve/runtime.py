"""Open ONNX Runtime sessions on a device. Errors say how to fix the installation."""

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

_GRAPH_CAUSES = "the graph is damaged, or needs another version of ONNX Runtime"
_SILENT = 4  # log fatal messages only; errors are raised

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """The device that runs a model: `auto`, `cpu`, `cuda` or `cuda:N`."""

    kind: str
    ordinal: int = 0

    def __str__(self) -> str:
        return f"cuda:{self.ordinal}" if self.kind == "cuda" else self.kind


def parse_device(device: object) -> Device:
    """Parse the name of a device. A device object of another library is parsed by its text.

    Raises:
        UsageError: There is no such device.
    """
    text = str(device)
    match = re.fullmatch(r"(auto|cpu|cuda)|cuda:(\d{1,3})", text)
    if not match:
        raise UsageError(f"device {text!r} does not exist; use auto, cpu, cuda or cuda:N")
    return Device(match[1] or "cuda", int(match[2] or 0))


def import_runtime() -> Any:
    """Return the `onnxruntime` module.

    Raises:
        Failure: It is not installed, or both of its packages are, which overwrite each other.
    """
    if _is_installed("onnxruntime") and _is_installed("onnxruntime_gpu"):
        raise Failure(
            "onnxruntime and onnxruntime-gpu are both installed and break each other; "
            f'fix it with: {INSTALL_GPU} (or "gan-serve[cpu]")'
        )
    # Otherwise the official builds report to Microsoft, and store a machine ID in the user's cache.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise Failure(f"no ONNX Runtime ({error}); install it with: {INSTALL_CPU} (or {INSTALL_GPU})") from None
    onnxruntime.set_default_logger_severity(_SILENT)
    return onnxruntime


def _is_installed(distribution: str) -> bool:
    """Return whether pip installed it. Importing importlib.metadata would take as long as loading a model."""
    return any(next(Path(folder).glob(f"{distribution}-*.dist-info"), None) for folder in sys.path)


def open_session(content: bytes, source: str, device: Device, threads: int = 1) -> "InferenceSession":
    """Open a session for the ONNX file with the bytes `content`.

    With several `threads`, ONNX Runtime splits each layer among them, and on some processors the last bits depend on
    the split: see docs/decisions/0009-one-thread-a-session.md. On CUDA, `threads` is always 1.

    Raises:
        Failure: The device cannot be used, or the graph cannot be loaded.
    """
    runtime = import_runtime()
    has_cuda = CUDA in runtime.get_available_providers()
    if device.kind == "cpu" or (device.kind == "auto" and not has_cuda):
        return _open_cpu(runtime, content, source, threads)
    if not has_cuda:
        raise Failure(f"this ONNX Runtime has no CUDA; fix it with: {INSTALL_GPU} (needs {DRIVER})")
    try:
        return _open_cuda(runtime, content, device)
    except Failure as failure:
        session = _open_cpu(runtime, content, source, threads)  # raises a better error if the file is the cause
        if device.kind == "cuda":
            raise
        _log.warning("running on the CPU: %s", failure)
        return session


def runs_on(session: "InferenceSession") -> str:
    """Return `cpu` or `cuda:N`, as the session reports it."""
    if session.get_providers()[0] != CUDA:
        return "cpu"
    return f"cuda:{session.get_provider_options()[CUDA]['device_id']}"


def _open_cpu(runtime: Any, content: bytes, source: str, threads: int) -> "InferenceSession":
    try:
        session: InferenceSession = runtime.InferenceSession(content, _options(runtime, threads), providers=[CPU])
    except Exception as error:  # the runtime's exceptions have no common base
        raise Failure(f"{source}: ONNX Runtime cannot load it ({one_line(error)}); {_GRAPH_CAUSES}") from None
    return session


def _open_cuda(runtime: Any, content: bytes, device: Device) -> "InferenceSession":
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the libraries that it does not find
        runtime.preload_dlls()
    options = _options(runtime, threads=1)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    # TF32 would round differently from the CPU; an exhaustive search for algorithms takes seconds per shape.
    cuda = {"device_id": device.ordinal, "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": 0}
    try:
        session: InferenceSession = runtime.InferenceSession(
            content, options, providers=[(CUDA, cuda), CPU], enable_fallback=0
        )
    except Exception as error:  # the runtime's exceptions have no common base
        raise Failure(f"CUDA cannot be used ({one_line(error)}); {_fix_cuda()}") from None
    if not _really_on_cuda(session):
        raise Failure(f"CUDA cannot be used: ONNX Runtime put the model on the CPU; {_fix_cuda()}")
    return session


def _really_on_cuda(session: "InferenceSession") -> bool:
    if session.get_providers()[0] != CUDA:
        return False
    return any(part.ep_name == CUDA for part in session.get_provider_graph_assignment_info())


def _fix_cuda() -> str:
    return f"it needs {DRIVER} and the CUDA 13 libraries: {INSTALL_GPU}; gan-serve doctor shows what is installed"


def _options(runtime: Any, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    return options


def one_line(error: Exception) -> str:
    """Return the beginning of an error message on one line."""
    return " ".join(str(error).split())[:300]
