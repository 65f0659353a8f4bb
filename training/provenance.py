"""Which code is running."""

import subprocess
from pathlib import Path


def commit() -> str:
    """The checkout's git commit, with `+changes` where files differ from it; `unknown` outside a checkout."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + (
            "+changes" if git("status", "--porcelain", "-uno", ".") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
