"""Plan where output goes: one file or a folder of files, and in which format."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gan_serve.errors import UsageError
from gan_serve.metadata import ModelMetadata
from gan_serve.system.home import with_home

ANIMATIONS = ("gif", "webp")  # formats that can hold several images as an animation


@dataclass(frozen=True)
class FormatSet:
    """The file formats for one kind of output: images or numbers."""

    name: str
    suffixes: Mapping[str, str]  # file suffix -> format
    default: str
    many: str  # the format whose files hold any number of outputs
    advice: str  # for outputs that do not fit into one file

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the formats."""
        return tuple(dict.fromkeys(self.suffixes.values()))


IMAGES = FormatSet(
    "images",
    {".png": "png", ".webp": "webp", ".jpg": "jpeg", ".jpeg": "jpeg", ".npy": "npy", ".gif": "gif"},
    default="png",
    many="npy",
    advice="make a grid, or give a folder, a .gif or a .npy file",
)
NUMBERS = FormatSet(
    "numbers",
    {".json": "json", ".jsonl": "jsonl"},
    default="jsonl",
    many="jsonl",
    advice="give a folder, or a .jsonl file, which has one line per image",
)
_SUFFIXES = {**IMAGES.suffixes, **NUMBERS.suffixes}


@dataclass(frozen=True)
class Output:
    """A file, or a folder with one file per image."""

    path: Path
    format: str
    folder: bool = False


def formats_of(metadata: ModelMetadata) -> FormatSet:
    """Return the formats for a model's output."""
    return IMAGES if metadata.image_outputs else NUMBERS


def plan_output(
    text: str | None, format: str | None, formats: FormatSet, *, stem: str, images: int, grid: bool
) -> Output:
    """Return where the output of `images` images goes. Without a path from the user, `stem` is the name.

    An animated WebP needs a file name; otherwise the format makes a folder, as the other image formats do.

    Raises:
        UsageError: The output does not fit there.
    """
    check_format(format, formats, images=images, grid=grid)
    is_single = images == 1 or grid
    text = None if text is None else with_home(text)
    if text is None or text.endswith(("/", os.sep)) or Path(text).is_dir():
        format = format or formats.default
        if is_single or format in (formats.many, "gif"):
            return Output(Path(text or "") / f"{stem}.{format}", format)
        return Output(Path(text or stem), format, folder=True)
    path = Path(text)
    named = path.suffix.lower() in _SUFFIXES
    format = format_of(path, formats, format) if is_single or named else format or formats.default
    check_format(format, formats, images=images, grid=grid)
    one_file = is_single or format in (formats.many, "gif") or (named and format in ANIMATIONS)
    if named and not one_file:
        raise UsageError(f"{images} images do not fit into {path}; {formats.advice}")
    return Output(path, format, folder=not one_file)


def is_animated(text: str | None, format: str | None, *, grid: bool) -> bool:
    """Return whether several images become one animation at the path `text`, where - is stdout."""
    named = format if text == "-" else _SUFFIXES.get(Path(text or "").suffix.lower())
    return not grid and (named in ANIMATIONS or format == "gif")


def stdout_format(format: str | None, formats: FormatSet, *, images: int, grid: bool) -> str:
    """Return the format for output on stdout.

    Raises:
        UsageError: The output does not fit into one stream.
    """
    return plan_output(f"-.{format or formats.default}", format, formats, stem="", images=images, grid=grid).format


def writes_one_image(images: int, format: str | None, grid: bool) -> bool:
    """Return whether the output is one image or animation, rather than an array or a folder."""
    return format == "gif" or (format != "npy" and (images == 1 or grid))


def format_of(path: Path, formats: FormatSet, format: str | None = None) -> str:
    """Return the format that the file name and the `format` option agree on.

    Raises:
        UsageError: They disagree, or the suffix is unknown.
    """
    named = _SUFFIXES.get(path.suffix.lower())
    if named and format and named != format:
        raise UsageError(f"the suffix of {path} means {named}, but the format is {format}; leave out one of them")
    if path.suffix and not format and named not in formats.names:
        suffixes = ", ".join(formats.suffixes)
        raise UsageError(f"{path}: {formats.name} cannot be written as {path.suffix}; use {suffixes}")
    return named or format or formats.default


def check_format(format: str | None, formats: FormatSet, *, images: int, grid: bool) -> None:
    """Reject a format that cannot hold this output.

    Raises:
        UsageError: The format does not exist, cannot hold a grid, or is an animation of a single image.
    """
    if format is not None and format not in formats.names:
        raise UsageError(f"{formats.name} cannot be written as {format!r}; use {', '.join(formats.names)}")
    if grid and formats is not IMAGES:
        raise UsageError("this model returns numbers, and a grid holds images; leave out the grid")
    if grid and format == formats.many:
        raise UsageError("npy holds arrays, and a grid is an image; leave out one of them")
    if format == "gif" and (grid or images == 1):
        raise UsageError("gif is for animations; ask for several images without a grid, or use png")
