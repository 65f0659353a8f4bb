"""gan-serve doctor: check the installation, and say how to fix it."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gan_serve import __version__
from gan_serve.cli.options import ModelsOption, open_repository
from gan_serve.cli.progress import Progress
from gan_serve.errors import Failure, GanServeError

if TYPE_CHECKING:
    from gan_serve.repository import ModelVersion, Repository

Check = Callable[[], Iterable[str | GanServeError]]  # returns findings and problems

_DRIVER_TIMEOUT = 30.0  # seconds


def doctor(models: ModelsOption = None) -> None:
    """Check the runtime, the GPU driver and every model. The exit code is 1 if there is a problem.

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
    has_unused_gpu = CUDA not in providers and shutil.which("nvidia-smi")
    hint = f" (to use the NVIDIA GPU: {INSTALL_GPU})" if has_unused_gpu else ""
    return [f"onnxruntime {runtime.__version__} with {', '.join(providers)}{hint}"]


def _driver() -> list[str]:
    from gan_serve.runtime import DRIVER

    command = shutil.which("nvidia-smi")
    if command is None:
        return [f"no NVIDIA driver; the CPU needs none, CUDA needs {DRIVER}"]
    query = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(
            query, capture_output=True, text=True, errors="replace", timeout=_DRIVER_TIMEOUT, check=False
        ).stdout
    except subprocess.TimeoutExpired:
        found = ""
    return found.splitlines() or [f"nvidia-smi returns nothing; CUDA needs {DRIVER}"]


def _threads() -> list[str]:
    from gan_serve.system.cpus import affinity, cpu_count, cpu_quota

    quota = cpu_quota()
    limit = f"a container's quota of {quota:g}" if quota else "no container's quota"
    return [f"{cpu_count()} (affinity to {affinity()} processors, {limit})"]


def _models(folder: Path | None) -> Iterator[str | Failure]:
    """Run every version of every model on its extreme inputs, and report problems."""
    repository = open_repository(folder)
    if not repository.versions:
        raise Failure(repository.empty_message)
    working, failures, devices = [], [], set()
    with Progress(len(repository.versions), None) as progress:
        for version in repository.versions:
            try:
                devices.add(_try(repository, version))
                working.append(f"{version.name} {version.version}")
            except Failure as failure:
                failures.append(failure)
            progress.advance(1)
    yield from failures
    if working:
        yield f"{', '.join(working)} in {repository.root}"
        yield f"each runs on {' or '.join(sorted(devices))}"


def _try(repository: "Repository", version: "ModelVersion") -> str:
    """Run a model, and return its device.

    Raises:
        Failure: It does not run, or its output contradicts its metadata.
    """
    from gan_serve.extremes import try_extremes
    from gan_serve.generator import Generator

    generator = Generator(repository.read(version))
    try:
        try_extremes(generator.metadata, generator.infer)
    except Failure as failure:
        raise Failure(f"{version.path}: {failure}") from None
    return generator.device
