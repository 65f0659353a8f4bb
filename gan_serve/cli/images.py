"""Read the images of the command line. An unreadable image is reported and skipped."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gan_serve.cli.options import report
from gan_serve.errors import Failure, UsageError

if TYPE_CHECKING:
    from gan_serve.image_inputs import ImageInput
    from gan_serve.metadata import ModelMetadata

STDIN = "-"


@contextmanager
def readable(
    metadata: "ModelMetadata", inputs: Mapping[str, Any], *, animated: bool
) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the inputs with their images opened, and the number of images left out. If any, the exit code is 1.

    All frames of a single animation are used if the output is `animated`.

    Raises:
        UsageError: An image is missing or does not exist, or the numbers of masks and images differ.
        Failure: No image can be read.
    """
    for tensor in metadata.image_inputs:
        if tensor.is_required and not inputs[tensor.name]:
            raise UsageError(f"{metadata.name} needs {tensor.name}: {tensor.hint}")
    images = {tensor.name: inputs[tensor.name] or None for tensor in metadata.image_inputs}
    given = {name: texts for name, texts in images.items() if texts}
    sources, left_out = _open(metadata, given, animated) if given else ({}, 0)
    yield {**inputs, **images, **sources}, left_out
    if left_out:
        raise typer.Exit(1)


def _open(
    metadata: "ModelMetadata", images: Mapping[str, list[str]], animated: bool
) -> "tuple[dict[str, list[ImageInput]], int]":
    from gan_serve.request import check_pairs

    if sum(each == STDIN for texts in images.values() for each in texts) > 1:
        raise UsageError("only one image can come from stdin; give the others as files")
    names = {name: [file for each in texts for file in _files(name, each)] for name, texts in images.items()}
    check_pairs({name: len(files) for name, files in names.items()})
    animations = {metadata.source_image.name} if animated and metadata.source_image else set()
    tried = {
        name: [
            each
            for file in files
            for each in _try(metadata, name, file, keep=len(files) == 1, frames=len(files) == 1 and name in animations)
        ]
        for name, files in names.items()
    }
    failures = [each for column in tried.values() for each in column if isinstance(each, Failure)]
    sources = _complete_rows(tried)
    complete = any(sources.values())
    for failure in failures if complete else failures[:-1]:
        report(failure)
    if not complete:
        raise failures[-1]
    return sources, max(map(len, tried.values())) - max(map(len, sources.values()))


def _files(name: str, text: str) -> "Sequence[Path | str]":
    from gan_serve.images.files import image_files

    if text == STDIN:
        return [STDIN]
    found = image_files(name, text)
    if found.left_out:
        report(found.left_out, "warning")
    return found.files


def _try(
    metadata: "ModelMetadata", name: str, file: "Path | str", *, keep: bool, frames: bool
) -> "Sequence[ImageInput | Failure]":
    from gan_serve.request import check_output_size

    try:
        sources = _opened(file, keep, frames)
        for source in sources:
            check_output_size(metadata, name, source)
    except Failure as failure:
        return [failure]
    for remark in sources[0].remarks:
        report(f"{sources[0].file or 'stdin'} {remark}", "warning")
    return sources


def _opened(file: "Path | str", keep: bool, frames: bool) -> "list[ImageInput]":
    from gan_serve.image_inputs import open_frames, open_image, piped_frames, piped_image

    if isinstance(file, Path):
        return open_frames(file) if frames else [open_image(file, keep=keep)]
    return piped_frames(sys.stdin.buffer, "stdin") if frames else [piped_image(sys.stdin.buffer, "stdin")]


def _complete_rows(tried: "Mapping[str, list[ImageInput | Failure]]") -> "dict[str, list[ImageInput]]":
    """Return the images of the rows in which every image and mask can be read."""
    complete: dict[str, list[ImageInput]] = {name: [] for name in tried}
    for place in range(max(map(len, tried.values()))):
        row = {name: column[place % len(column)] for name, column in tried.items()}
        sources = {name: each for name, each in row.items() if not isinstance(each, Failure)}
        if len(sources) == len(row):
            for name, source in sources.items():
                complete[name].append(source)
    return complete
