"""Which files a path, a folder or a glob means, and what is left out of them."""

import glob
import stat
from pathlib import Path
from typing import NamedTuple

from gan_serve.errors import UsageError, short_repr
from gan_serve.system.home import with_home

_SUFFIXES = frozenset(
    ".png .jpg .jpeg .webp .gif .bmp .tif .tiff .pgm .ppm .avif .heic .heif".split()  # noqa: SIM905
)
_TOLD = 3  # names of what is left out


class Found(NamedTuple):
    """The images' files in the order of their names, and a sentence about what else is there, if anything is."""

    files: list[Path]
    left_out: str | None = None


def image_files(name: str, given: str) -> Found:
    """The files that a path, a folder or a glob means; `name` is the input's.

    A link that leads nowhere is among them if it has an image's name, so that reading it says why it cannot be read.

    Raises:
        UsageError: none.
    """
    path = Path(given)
    if is_file(path) or path.is_fifo() or _leads_nowhere(path):  # first, since a file's own name may look like a glob
        return Found([path])
    given = with_home(given)
    path = Path(given)
    is_folder = bool(given) and path.is_dir()
    try:
        entries = _listed(path) if is_folder else _matching(given)
    except OSError:
        return Found([path])  # whose reading will tell why
    files = sorted(each for each in entries if _is_meant(each, is_folder))
    if not files:
        wrong = "holds no images" if is_folder else "does not exist"
        raise UsageError(f"{name} {short_repr(given)} {wrong}; give a file, a folder of images, or a glob in quotes")
    return Found(files, _left_out(given, sorted({*entries}.difference(files))))


def is_file(path: Path) -> bool:
    """Whether it is a file; also where nobody may look, which its reading will tell."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True


def _listed(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.name[0] != "."]


def _matching(given: str) -> list[Path]:
    """Path.glob takes no absolute pattern, and would find hidden files."""
    return [Path(match) for match in glob.glob(given, recursive=True)] if glob.has_magic(given) else []  # noqa: PTH207


def _is_meant(path: Path, in_folder: bool) -> bool:
    if in_folder and path.suffix.lower() not in _SUFFIXES:
        return False
    return is_file(path) or _leads_nowhere(path)


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _left_out(given: str, paths: list[Path]) -> str | None:
    if not paths:
        return None
    names = [f"{each.name} ({_kind(each)})" for each in paths[:_TOLD]]
    more = f" and {len(paths) - _TOLD} more" if len(paths) > _TOLD else ""
    return f"{given}: left out {len(paths)}: {', '.join(names)}{more}"


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a link that leads nowhere" if _leads_nowhere(path) else "no image by its name"
