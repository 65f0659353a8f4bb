"""gan-serve doctor: what is here, and what to do about what is not."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import typer

from gan_serve import __version__
from gan_serve.cli.options import ModelsOption, open_repository
from gan_serve.errors import Failure, GanServeError


def doctor(models: ModelsOption = None) -> None:
    """Check the installation; the exit code is 1 if it cannot generate.

    Examples:
    gan-serve doctor
    gan-serve doctor --models my-models/
    """
    checks: dict[str, Callable[[], list[str]]] = {
        "gan-serve": lambda: [__version__],
        "runtime": _runtime,
        "driver": _driver,
        "threads": _threads,
        "models": lambda: _models(models),
    }
    healthy = [_report(name, check) for name, check in checks.items()]
    if not all(healthy):
        raise typer.Exit(1)


def _report(name: str, check: Callable[[], list[str]]) -> bool:
    try:
        lines, healthy = check(), True
    except GanServeError as error:
        lines, healthy = [f"{error}"], False
    for line in lines:
        typer.echo(f"{'ok ' if healthy else 'BAD'} {name:<9}  {line}")
    return healthy


def _runtime() -> list[str]:
    from gan_serve.runtime import CUDA, INSTALL_GPU, import_runtime

    runtime = import_runtime()
    providers = runtime.get_available_providers()
    hint = "" if CUDA in providers else f" (for an NVIDIA GPU: {INSTALL_GPU})"
    return [f"onnxruntime {runtime.__version__} with {', '.join(providers)}{hint}"]


def _driver() -> list[str]:
    from gan_serve.runtime import DRIVER

    command = shutil.which("nvidia-smi")
    if command is None:
        return [f"no NVIDIA driver; the CPU needs none, CUDA needs {DRIVER}"]
    query = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    found = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    return found.stdout.splitlines() or [f"nvidia-smi answers nothing; CUDA needs {DRIVER}"]


def _threads() -> list[str]:
    from gan_serve.cpus import affinity, cpu_count, cpu_quota

    quota = cpu_quota()
    limit = f"a container's quota of {quota:g}" if quota else "no container's quota"
    return [f"{cpu_count()} (affinity to {affinity()} processors, {limit})"]


def _models(folder: Path | None) -> list[str]:
    repository = open_repository(folder)
    found, failures = repository.read_all()
    if not found:
        raise Failure("; ".join(map(str, failures)) or f"none in {repository.root}; name a folder with --models DIR")
    names = ", ".join(f"{model.metadata.name} {model.metadata.version}" for model in found)
    return [f"{names} in {repository.root}", *(f"broken: {failure}" for failure in failures)]
