"""Find the image files of a path, a folder or a glob."""

import glob
import stat
from pathlib import Path
from typing import NamedTuple

from gan_serve.errors import UsageError, short_repr
from gan_serve.system.home import with_home

_SUFFIXES = frozenset(
    ".png .jpg .jpeg .webp .gif .bmp .tif .tiff .pgm .ppm .avif .heic .heif".split()  # noqa: SIM905
)
_MAX_LISTED = 3  # names in the list of files left out


class ImageFiles(NamedTuple):
    """Image files sorted by name, and a sentence about the files that were left out."""

    files: list[Path]
    left_out: str | None = None


def image_files(name: str, text: str) -> ImageFiles:
    """Return the image files of a path, a folder or a glob. `name` is the input's name.

    A broken link with an image's suffix is included, so that reading it reports the error.

    Raises:
        UsageError: There are no files.
    """
    path = Path(text)
    if is_file(path) or path.is_fifo() or _is_broken_link(path):  # first: a file name may look like a glob
        return ImageFiles([path])
    text = with_home(text)
    path = Path(text)
    is_folder = bool(text) and path.is_dir()
    try:
        entries = _listed(path) if is_folder else _matching(text)
    except OSError:
        return ImageFiles([path])  # reading it will report the error
    files = sorted(each for each in entries if _is_image(each, is_folder))
    if not files:
        problem = "holds no images" if is_folder else "does not exist"
        raise UsageError(f"{name} {short_repr(text)} {problem}; give a file, a folder of images, or a glob in quotes")
    return ImageFiles(files, _left_out(text, sorted({*entries}.difference(files))))


def is_file(path: Path) -> bool:
    """Return whether a path is a file, or cannot be checked; reading it will then report the error."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True


def _listed(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.name[0] != "."]


def _matching(text: str) -> list[Path]:
    """Return the paths that a glob matches. Path.glob rejects absolute patterns, and finds hidden files."""
    matches = glob.glob(text, recursive=True) if glob.has_magic(text) else []  # noqa: PTH207
    return [Path(match) for match in matches]


def _is_image(path: Path, in_folder: bool) -> bool:
    if in_folder and path.suffix.lower() not in _SUFFIXES:
        return False
    return is_file(path) or _is_broken_link(path)


def _is_broken_link(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _left_out(text: str, paths: list[Path]) -> str | None:
    if not paths:
        return None
    names = [f"{each.name} ({_kind(each)})" for each in paths[:_MAX_LISTED]]
    more = f" and {len(paths) - _MAX_LISTED} more" if len(paths) > _MAX_LISTED else ""
    return f"{text}: left out {len(paths)}: {', '.join(names)}{more}"


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a broken link" if _is_broken_link(path) else "no image suffix"
