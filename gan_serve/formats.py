"""Where an answer goes: one file or a folder of files, and in which format."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gan_serve.errors import UsageError
from gan_serve.metadata import ModelMetadata
from gan_serve.system.home import with_home

ANIMATIONS = ("gif", "webp")  # formats of which one file shows several images, one after the other


@dataclass(frozen=True)
class FormatSet:
    """What a model's answers are, and the formats that hold them."""

    name: str
    suffixes: Mapping[str, str]  # of a file -> its format
    usual: str  # where nobody names a format
    many: str  # the format of which one file holds any number of answers
    advice: str  # where they do not fit into one file

    @cached_property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats."""
        return tuple(dict.fromkeys(self.suffixes.values()))


IMAGES = FormatSet(
    "images",
    {".png": "png", ".webp": "webp", ".jpg": "jpeg", ".jpeg": "jpeg", ".npy": "npy", ".gif": "gif"},
    usual="png",
    many="npy",
    advice="make a grid, or give a folder, a .gif or a .npy file",
)
NUMBERS = FormatSet(
    "numbers",
    {".json": "json", ".jsonl": "jsonl"},
    usual="jsonl",
    many="jsonl",
    advice="give a folder or a .jsonl file, which has a line for each",
)
_SUFFIXES = {**IMAGES.suffixes, **NUMBERS.suffixes}


@dataclass(frozen=True)
class Output:
    """A file, or a folder that gets one file for each image."""

    path: Path
    format: str
    folder: bool = False


def formats_of(metadata: ModelMetadata) -> FormatSet:
    """What a model answers with."""
    return IMAGES if metadata.image_outputs else NUMBERS


def plan_output(
    given: str | None, format: str | None, format_set: FormatSet, *, stem: str, images: int, grid: bool
) -> Output:
    """Where the answers for `images` images go when the user names `given`; `stem` names what the user does not.

    Only a file that has a name becomes an animated WebP: without one, that format makes a folder as any image's does.

    Raises:
        UsageError: they do not fit there.
    """
    check_format(format, format_set, images=images, grid=grid)
    one_answer = images == 1 or grid
    given = None if given is None else with_home(given)
    if given is None or given.endswith(("/", os.sep)) or Path(given).is_dir():
        format = format or format_set.usual
        if one_answer or format in (format_set.many, "gif"):
            return Output(Path(given or "") / f"{stem}.{format}", format)
        return Output(Path(given or stem), format, folder=True)
    path = Path(given)
    named = path.suffix.lower() in _SUFFIXES
    format = format_of(path, format_set, format) if one_answer or named else format or format_set.usual
    check_format(format, format_set, images=images, grid=grid)
    one_file = one_answer or format in (format_set.many, "gif") or (named and format in ANIMATIONS)
    if named and not one_file:
        raise UsageError(f"{images} images do not fit into {path}; {format_set.advice}")
    return Output(path, format, folder=not one_file)


def is_animated(given: str | None, format: str | None, *, grid: bool) -> bool:
    """Whether several images become one animation when the user names `given`, where - is stdout."""
    named = format if given == "-" else _SUFFIXES.get(Path(given or "").suffix.lower())
    return not grid and (named in ANIMATIONS or format == "gif")


def stdout_format(format: str | None, format_set: FormatSet, *, images: int, grid: bool) -> str:
    """The format in which answers are printed.

    Raises:
        UsageError: they cannot be.
    """
    return plan_output(f"-.{format or format_set.usual}", format, format_set, stem="", images=images, grid=grid).format


def writes_one_image(images: int, format: str | None, grid: bool) -> bool:
    """Whether the answer is one image, still or moving: no array, no folder."""
    return format == "gif" or (format != "npy" and (images == 1 or grid))


def format_of(path: Path, format_set: FormatSet, format: str | None = None) -> str:
    """The format that a file's name and the user agree on.

    Raises:
        UsageError: they do not, or the name tells none.
    """
    named = _SUFFIXES.get(path.suffix.lower())
    if named and format and named != format:
        raise UsageError(f"{path} would be {named}, but {format} was asked for; leave out one of them")
    if path.suffix and not format and named not in format_set.formats:
        suffixes = ", ".join(format_set.suffixes)
        raise UsageError(f"{path}: no format is named {path.suffix} for {format_set.name}; use {suffixes}")
    return named or format or format_set.usual


def check_format(format: str | None, format_set: FormatSet, *, images: int, grid: bool) -> None:
    """Refuse a format that so many answers cannot have.

    Raises:
        UsageError: it does not exist for them, holds no grid, or would show one image alone in an animation.
    """
    if format is not None and format not in format_set.formats:
        raise UsageError(f"{format_set.name} cannot be written as {format!r}; use {', '.join(format_set.formats)}")
    if grid and format_set is not IMAGES:
        raise UsageError("a grid is an image, and this model answers with numbers; leave it out")
    if grid and format == format_set.many:
        raise UsageError("a grid is an image, npy holds arrays; leave out one of them")
    if format == "gif" and (grid or images == 1):
        raise UsageError("gif is for animations; ask for several images and no grid, or use png")
