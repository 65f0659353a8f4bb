"""How many processors this process may really use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def cpu_count() -> int:
    """The affinity mask or the container's quota, whichever is smaller; `os.cpu_count()` knows neither."""
    quota = cpu_quota()
    return min(affinity(), math.ceil(quota)) if quota else affinity()


def affinity() -> int:
    """The processors that the scheduler may put this process on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_quota(root: Path = _CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Processors granted by the tightest control group around this process, or None where none limits it."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    return min((quota for folder in _folders(lines, root) for quota in _quotas(folder)), default=None)


def _folders(lines: list[str], root: Path) -> Iterator[Path]:
    """The folder of each of the process's groups and of all groups above it."""
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
        if quota.isdigit() and int(quota) > 0:  # no limit is "max" or -1
            yield int(quota) / int(period)
