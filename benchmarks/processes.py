"""A process and all that it started: what they cost, and their end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 20.0  # seconds between a friendly signal and the last one
_TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(root: int) -> float:
    """Of the process and all below it so far, those that ended included."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in family(root)) / _TICK


def memory(root: int) -> float:
    """MB of the process and all below it; what several share is counted once."""
    return sum(_proportional_kilobytes(pid) for pid in family(root)) / 1000


def family(root: int) -> list[int]:
    """The process and all below it."""
    parents = {int(path.name): _parent(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = [root]
    for pid in found:  # grows while it is gone through
        found += [child for child, parent in parents.items() if parent == pid]
    return found


@contextlib.contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a folder of its own in this one, its output in `log`; in the end it and its children are gone."""
    own = folder / "own"  # which it may empty or remove
    own.mkdir()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=own, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        relatives = {pid: _born(pid) for pid in family(process.pid)}
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        _end(relatives)
        process.wait()


def last_line(text: str) -> str:
    """Where a program says what went wrong."""
    return text.strip().rpartition("\n")[2]


def _end(relatives: dict[int, str]) -> None:
    """End those that live, unless another process has got the number since."""
    left = [pid for pid, born in relatives.items() if born and _born(pid) == born]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """What follows the name in the kernel's line on a process; nothing if it has ended."""
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
