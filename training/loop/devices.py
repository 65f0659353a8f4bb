"""Find the device and the precision of a training, and describe the hardware for a model card."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from gan_serve.errors import UsageError


def find_device(name: str) -> torch.device:
    """Return the device for `auto` (CUDA if available), `cpu`, `cuda` or `cuda:N`.

    Under `torchrun`, each process takes the GPU of its local rank.

    Raises:
        UsageError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device is usable here; use --device cpu")
    if name == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


def find_precision(name: str, device: torch.device) -> str:
    """Return `fp32` or `bf16`; for `auto`, bf16 on a processor with units for it, and otherwise fp32.

    On a GPU, two of three games became NaN in bf16 for an unknown reason: docs/decisions/0008-gpu.md.
    """
    if name not in ("auto", "fp32", "bf16"):
        raise UsageError(f"unknown precision {name!r}; use auto, fp32 or bf16")
    if name != "auto":
        return name
    return "bf16" if device.type == "cpu" and _has_bf16_units() else "fp32"


def _has_bf16_units() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@contextmanager
def one_thread() -> Iterator[None]:
    """Make PyTorch use one thread, since the rounding of sums depends on the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def describe(device: torch.device) -> str:
    """Return the hardware in words: `AMD EPYC, 2 cores`, `NVIDIA H200`."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = torch.get_num_threads()
    return f"{models[0] if models else 'CPU'}, {cores} core{'s' if cores > 1 else ''}"
