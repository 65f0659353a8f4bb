"""Where an answer goes: one file or a folder of files, and in which format."""

import os
from dataclasses import dataclass
from pathlib import Path

from gan_serve.errors import UsageError

FORMATS = ("png", "webp", "jpeg", "npy")
_SUFFIXES = {".png": "png", ".webp": "webp", ".jpg": "jpeg", ".jpeg": "jpeg", ".npy": "npy"}


@dataclass(frozen=True)
class Output:
    """A file, or a folder that gets one file for each image."""

    path: Path
    format: str
    folder: bool = False


def plan_output(given: str, format: str | None, *, stem: str, images: int, grid: bool) -> Output:
    """Where `images` images go when the user names `given`; `stem` names what the user did not.

    Raises:
        UsageError: they do not fit there.
    """
    check_format(format, grid)
    path = Path(given)
    suffix_format = _SUFFIXES.get(path.suffix.lower())
    one_file = images == 1 or grid or format == "npy"
    if given.endswith(("/", os.sep)) or path.is_dir():
        format = format or "png"
        return Output(path / f"{stem}.{format}", format) if one_file else Output(path, format, folder=True)
    if suffix_format is None and not one_file:
        return Output(path, format or "png", folder=True)
    format = _file_format(path, suffix_format, format)
    check_format(format, grid)
    if not one_file and format != "npy":
        raise UsageError(f"{images} images do not fit into {path}; make a grid, or give a folder or a .npy file")
    return Output(path, format)


def plan_default(format: str | None, *, stem: str, images: int, grid: bool) -> Output:
    """Where they go when the user names nothing: here."""
    check_format(format, grid)
    format = format or "png"
    if images == 1 or grid or format == "npy":
        return Output(Path(f"{stem}.{format}"), format)
    return Output(Path(stem), format, folder=True)


def check_format(format: str | None, grid: bool) -> None:
    """Refuse a format that does not exist, or that holds no grid.

    Raises:
        UsageError: so it is.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"format {format!r} does not exist; use {', '.join(FORMATS)}")
    if format == "npy" and grid:
        raise UsageError("a grid is a picture, npy holds arrays; leave out one of them")


def _file_format(path: Path, suffix_format: str | None, format: str | None) -> str:
    if suffix_format and format and suffix_format != format:
        raise UsageError(f"{path} would be {suffix_format}, the format asked for is {format}; leave out one of them")
    if path.suffix and not (suffix_format or format):
        raise UsageError(f"{path}: no format is named {path.suffix}; use {', '.join(_SUFFIXES)}")
    return suffix_format or format or "png"
