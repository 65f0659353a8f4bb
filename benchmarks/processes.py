"""Measure and stop a process together with all its descendants."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

_TIMEOUT = 20.0  # seconds from SIGTERM to SIGKILL
_TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(root: int) -> float:
    """Return the processor time of a process and its descendants so far, including those that have exited."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in family(root)) / _TICK


def memory(root: int) -> float:
    """Return the memory in MB of a process and its descendants; shared memory counts once."""
    return sum(_proportional_kilobytes(pid) for pid in family(root)) / 1000


def family(root: int) -> list[int]:
    """Return the ids of a process and its descendants."""
    parents = {int(path.name): _parent(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = [root]
    for pid in found:  # the list grows during the loop
        found += [child for child, parent in parents.items() if parent == pid]
    return found


@contextlib.contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a new subfolder, with its output in `log`, and end it and its descendants afterwards."""
    own = folder / "own"  # the process may empty or remove it
    own.mkdir()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=own, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        started = {pid: _start_time(pid) for pid in family(process.pid)}
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TIMEOUT)
        _kill(started)
        process.wait()


def last_line(text: str) -> str:
    """Return the last line of a program's output, which contains the error."""
    return text.strip().rpartition("\n")[2]


def _kill(started: dict[int, str]) -> None:
    """Kill the processes that still run; the start time detects an id that a new process has taken over."""
    running = [pid for pid, start in started.items() if start and _start_time(pid) == start]
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _start_time(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """Return the fields after the name in /proc/PID/stat; none if the process has exited."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _proportional_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
