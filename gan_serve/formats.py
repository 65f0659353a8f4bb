"""Plan where output goes: one file or a folder of files, and in which format."""

import os
from dataclasses import dataclass
from pathlib import Path

from gan_serve.errors import UsageError
from gan_serve.media import all_formats
from gan_serve.media.medium import Medium
from gan_serve.system.home import with_home


@dataclass(frozen=True)
class Output:
    """A file, or a folder with one file per image."""

    path: Path
    format: str
    folder: bool = False


def plan_output(text: str | None, format: str | None, medium: Medium, *, stem: str, images: int, grid: bool) -> Output:
    """Return where the output of `images` images goes. Without a path from the user, `stem` is the name.

    An animated WebP needs a file name; otherwise the format makes a folder, as the other image formats do.

    Raises:
        UsageError: The output does not fit there.
    """
    check_format(format, medium, images=images, grid=grid)
    is_single = images == 1 or grid
    text = None if text is None else with_home(text)
    if text is None or text.endswith(("/", os.sep)) or Path(text).is_dir():
        format = format or medium.default
        if is_single or format in medium.joined:
            return Output(Path(text or "") / f"{stem}.{format}", format)
        return Output(Path(text or stem), format, folder=True)
    path = Path(text)
    named = named_format(path)
    format = format_of(path, medium, format) if is_single or named else format or medium.default
    check_format(format, medium, images=images, grid=grid)
    one_file = is_single or format in medium.joined or (named and format in medium.animations)
    if named and not one_file:
        raise UsageError(f"{images} images do not fit into {path}; {medium.advice}")
    return Output(path, format, folder=not one_file)


def is_animated(text: str | None, format: str | None, medium: Medium, *, grid: bool) -> bool:
    """Return whether several images become one animation at the path `text`, where - is stdout."""
    named = format if text == "-" else named_format(Path(text or ""))
    return not grid and (named in medium.animations or (format in medium.animations and format in medium.joined))


def stdout_format(format: str | None, medium: Medium, *, images: int, grid: bool) -> str:
    """Return the format for output on stdout.

    Raises:
        UsageError: The output does not fit into one stream.
    """
    return plan_output(f"-.{format or medium.default}", format, medium, stem="", images=images, grid=grid).format


def writes_one_image(images: int, format: str | None, medium: Medium, *, grid: bool) -> bool:
    """Return whether the output is one image or animation, rather than an array or a folder."""
    if format in medium.joined:
        return format in medium.animations
    return images == 1 or grid


def named_format(path: Path) -> str | None:
    """Return the format that the suffix of a file means, if it means one."""
    suffix = path.suffix.lower()
    return next((format.name for format in all_formats().values() if suffix in format.suffixes), None)


def format_of(path: Path, medium: Medium, format: str | None = None) -> str:
    """Return the format that the file name and the `format` option agree on.

    Raises:
        UsageError: They disagree, or the suffix is unknown.
    """
    named = named_format(path)
    if named and format and named != format:
        raise UsageError(f"the suffix of {path} means {named}, but the format is {format}; leave out one of them")
    if path.suffix and not format and named not in medium.names:
        suffixes = ", ".join(medium.suffixes)
        raise UsageError(f"{path}: {medium.name} cannot be written as {path.suffix}; use {suffixes}")
    return named or format or medium.default


def check_format(format: str | None, medium: Medium, *, images: int, grid: bool) -> None:
    """Reject a format that cannot hold this output.

    Raises:
        UsageError: The format does not exist, cannot hold a grid, or is an animation of a single image.
    """
    if format is not None and format not in medium.names:
        raise UsageError(f"{medium.name} cannot be written as {format!r}; use {', '.join(medium.names)}")
    if grid and not medium.images:
        raise UsageError("this model returns numbers, and a grid holds images; leave out the grid")
    is_animation = format in medium.animations and format not in medium.images
    if is_animation and (grid or images == 1):
        raise UsageError(f"{format} is for animations; ask for several images without a grid, or use png")
    if grid and format is not None and format not in medium.images:
        holds = medium.find(format).holds
        raise UsageError(f"{format} holds {holds}, and a grid is an image; leave out one of them")
