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


def plan_output(given: str | None, format: str | None, *, stem: str, images: int, grid: bool) -> Output:
    """Where `images` images go when the user names `given`; `stem` names what the user does not.

    Raises:
        UsageError: they do not fit there.
    """
    _check_format(format, grid)
    one_file = format == "npy" or writes_one_picture(images, format, grid)
    if given is None or given.endswith(("/", os.sep)) or Path(given).is_dir():
        format = format or "png"
        if one_file:
            return Output(Path(given or "") / f"{stem}.{format}", format)
        return Output(Path(given or stem), format, folder=True)
    path = Path(given)
    if not one_file and path.suffix.lower() not in _SUFFIXES:
        return Output(path, format or "png", folder=True)
    format = format_of(path, format)
    _check_format(format, grid)
    if not one_file and format != "npy":
        raise UsageError(f"{images} images do not fit into {path}; make a grid, or give a folder or a .npy file")
    return Output(path, format)


def writes_one_picture(images: int, format: str | None, grid: bool) -> bool:
    """Whether the answer is one picture: no array, no folder."""
    return format != "npy" and (images == 1 or grid)


def format_of(path: Path, format: str | None = None) -> str:
    """The format that a file's name and the user agree on.

    Raises:
        UsageError: they do not, or the name tells none.
    """
    named = _SUFFIXES.get(path.suffix.lower())
    if named and format and named != format:
        raise UsageError(f"{path} would be {named}, but {format} was asked for; leave out one of them")
    if path.suffix and not (named or format):
        raise UsageError(f"{path}: no format is named {path.suffix}; use {', '.join(_SUFFIXES)}")
    return named or format or "png"


def _check_format(format: str | None, grid: bool) -> None:
    if format is not None and format not in FORMATS:
        raise UsageError(f"format {format!r} does not exist; use {', '.join(FORMATS)}")
    if format == "npy" and grid:
        raise UsageError("a grid is a picture, npy holds arrays; leave out one of them")
