"""The processors that a process may use."""

from pathlib import Path

import pytest

from gan_serve.system.cpus import cpu_count, cpu_quota


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/box/app", {"box/cpu.max": "150000 100000", "box/app/cpu.max": "max 100000"}, 1.5),
        ("0::/", {"cpu.max": "400000 100000"}, 4),
        ("0::/", {"cpu.max": "max 100000"}, None),
        (
            "4:cpu,cpuacct:/box",
            {"cpu,cpuacct/box/cpu.cfs_quota_us": "50000", "cpu,cpuacct/box/cpu.cfs_period_us": "100000"},
            0.5,
        ),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("4:memory:/", {"memory/cpu.max": "100000 100000"}, None),
        ("0::/absent", {}, None),
    ],
)
def test_quota_of_a_container(tmp_path: Path, membership: str, files: dict[str, str], quota: float | None) -> None:
    (tmp_path / "membership").write_text(membership + "\n")
    for name, content in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "membership") == quota


def test_quota_bounds_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_serve.system.cpus.affinity", lambda: 8)
    for quota, threads in ((None, 8), (0.5, 1), (2.5, 3), (64, 8)):
        monkeypatch.setattr("gan_serve.system.cpus.cpu_quota", lambda quota=quota: quota)
        assert cpu_count() == threads
