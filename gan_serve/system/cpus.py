"""Count the processors that this process may use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def cpu_count() -> int:
    """Return the processors of the affinity mask or of the container's quota, whichever is smaller.

    `os.cpu_count()` ignores both.
    """
    quota = cpu_quota()
    return min(affinity(), math.ceil(quota)) if quota else affinity()


def affinity() -> int:
    """Return the number of processors in this process's affinity mask."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_quota(root: Path = _CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Return the processors granted by the tightest control group; None without a limit."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    return min((quota for folder in _folders(lines, root) for quota in _quotas(folder)), default=None)


def _folders(lines: list[str], root: Path) -> Iterator[Path]:
    """Yield the folders of the process's control groups and of their ancestors."""
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            mount = root / controllers if controllers else root
            group = mount / path.lstrip("/")
            yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _quotas(folder: Path) -> Iterator[float]:
    for files in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):  # version 2, version 1
        try:
            quota, period = " ".join((folder / file).read_text() for file in files).split()
        except OSError:
            continue
        if quota.isdigit() and int(quota) > 0:  # "max" or -1 means no limit
            yield int(quota) / int(period)
