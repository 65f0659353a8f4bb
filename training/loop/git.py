"""The commit of the code that is running."""

import subprocess
from pathlib import Path


def commit() -> str:
    """Return the checkout's git commit, or `unknown` outside a checkout.

    `+changes` follows it where the Python code of trainings differs from the commit. Other files do not count, such as
    trained models and classifiers.
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
