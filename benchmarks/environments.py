"""Virtual environments for the peers, created once and cached."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from processes import last_line

from gan_serve.errors import Failure


def python_of(name: str, requirements: Path, cache: Path) -> Path:
    """Return the Python of an environment with these requirements, creating it if necessary.

    Raises:
        Failure: a requirement cannot be installed.
    """
    digest = hashlib.sha256(f"{sys.version} {requirements.read_text()}".encode()).hexdigest()[:12]
    folder = cache / f"{name}-{digest}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        shutil.rmtree(folder, ignore_errors=True)  # removes an incomplete environment
        _run([sys.executable, "-m", "venv", folder])
        _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements])
        complete.touch()
    return python


def _run(command: list[str | Path]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        reasons = "\n".join(line for line in ended.stderr.splitlines() if line.startswith("ERROR"))  # among warnings
        raise Failure(last_line(reasons or ended.stderr).removeprefix("ERROR: "))
