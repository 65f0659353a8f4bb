"""Which code is running."""

import subprocess
from pathlib import Path


def commit() -> str:
    """The checkout's git commit; `unknown` outside a checkout.

    With `+changes` where Python code of a training differs from it, or is not in it: models that someone has trained or
    judges of other data change nothing.
    """
    folder = Path(__file__).parents[2]

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changes = git("status", "--porcelain", "--untracked-files=all", "--", "training/*.py", "gan_serve/*.py")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
