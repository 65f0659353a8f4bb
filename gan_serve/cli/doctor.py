"""gan-serve doctor: what is here, and what to do about what is not."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer

from gan_serve import __version__
from gan_serve.cli.options import ModelsOption, open_repository
from gan_serve.errors import Failure, GanServeError

Check = Callable[[], Iterable[str | GanServeError]]  # what is there, and what is wrong

_PATIENCE = 30.0  # seconds for the driver to answer


def doctor(models: ModelsOption = None) -> None:
    """Check the installation; the exit code is 1 if it cannot generate.

    Examples:
    gan-serve doctor
    gan-serve doctor --models my-models/
    """
    checks: dict[str, Check] = {
        "gan-serve": lambda: [__version__],
        "runtime": _runtime,
        "driver": _driver,
        "threads": _threads,
        "models": lambda: _models(models),
    }
    healthy = [_report(name, check) for name, check in checks.items()]
    if not all(healthy):
        raise typer.Exit(1)


def _report(name: str, check: Check) -> bool:
    healthy = True
    for line in _lines(check):
        is_wrong = isinstance(line, GanServeError)
        typer.echo(f"{'BAD' if is_wrong else 'ok '} {name:<9}  {line}")
        healthy = healthy and not is_wrong
    return healthy


def _lines(check: Check) -> Iterator[str | GanServeError]:
    try:
        yield from check()
    except GanServeError as error:
        yield error


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
    try:
        found = subprocess.run(
            query, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False
        ).stdout
    except subprocess.TimeoutExpired:
        found = ""
    return found.splitlines() or [f"nvidia-smi answers nothing; CUDA needs {DRIVER}"]


def _threads() -> list[str]:
    from gan_serve.cpus import affinity, cpu_count, cpu_quota

    quota = cpu_quota()
    limit = f"a container's quota of {quota:g}" if quota else "no container's quota"
    return [f"{cpu_count()} (affinity to {affinity()} processors, {limit})"]


def _models(folder: Path | None) -> Iterator[str | Failure]:
    """What is there, and where it really runs: the smallest model is opened."""
    from gan_serve.generator import Generator

    repository = open_repository(folder)
    found, failures = repository.read_all()
    if not found and not failures:
        raise Failure(f"none in {repository.root}; name a folder with --models DIR")
    yield from failures
    if found:
        names = ", ".join(f"{model.metadata.name} {model.metadata.version}" for model in found)
        yield f"{names} in {repository.root}"
        smallest = min(found, key=lambda model: len(model.content))
        yield f"{smallest.metadata.name} runs on {Generator(smallest).device}"
