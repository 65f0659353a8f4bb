"""Image files that tests read."""

from pathlib import Path

from PIL import Image as PILImage


def draw(path: Path, level: int) -> Path:
    """Write a grey image of one level, and return its path."""
    path.parent.mkdir(exist_ok=True)
    PILImage.new("L", (8, 8), level).save(path)
    return path
