"""Pictures named on the command line. One that cannot be read does not stop the others."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gan_serve.cli.options import complain
from gan_serve.errors import Failure, UsageError

if TYPE_CHECKING:
    from gan_serve.metadata import ModelMetadata
    from gan_serve.sources import Source

STDIN = "-"


@contextmanager
def readable(metadata: "ModelMetadata", inputs: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """The inputs with their pictures found and tried, and how many had to be left out; if any, the exit code is 1.

    Raises:
        UsageError: a picture is missing, there is no such one, or as many masks as images are not.
        Failure: none could be read.
    """
    for tensor in metadata.image_inputs:
        if not inputs[tensor.name]:
            raise UsageError(f"{metadata.name} needs {tensor.name}: {tensor.hint}")
    given = {tensor.name: inputs[tensor.name] for tensor in metadata.image_inputs}
    sources, left_out = _open(metadata, given) if given else ({}, 0)
    yield {**inputs, **sources}, left_out
    if left_out:
        raise typer.Exit(1)


def _open(metadata: "ModelMetadata", given: Mapping[str, list[str]]) -> "tuple[dict[str, list[Source]], int]":
    from gan_serve.request import check_pairs
    from gan_serve.sources import picture_files

    if sum(each == STDIN for texts in given.values() for each in texts) > 1:
        raise UsageError("one picture can come from stdin, not several; give the others as files")
    names = {
        name: [file for each in texts for file in ([each] if each == STDIN else picture_files(name, each))]
        for name, texts in given.items()
    }
    check_pairs({name: len(files) for name, files in names.items()})
    tried = {
        name: [_try(metadata, name, file, keep=len(files) == 1) for file in files] for name, files in names.items()
    }
    failures = [each for column in tried.values() for each in column if isinstance(each, Failure)]
    sources = _whole_rows(tried)
    complete = any(sources.values())
    for failure in failures if complete else failures[:-1]:
        complain(failure)
    if not complete:
        raise failures[-1]
    return sources, max(map(len, tried.values())) - max(map(len, sources.values()))


def _try(metadata: "ModelMetadata", name: str, file: "Path | str", *, keep: bool) -> "Source | Failure":
    from gan_serve.request import check_answer
    from gan_serve.sources import open_source, piped_source

    try:
        source = open_source(file, keep=keep) if isinstance(file, Path) else piped_source(sys.stdin.buffer, "stdin")
        check_answer(metadata, name, source)
    except Failure as failure:
        return failure
    if source.is_first:
        complain(f"{source.file or 'stdin'} holds several pictures; only the first is taken", "warning")
    return source


def _whole_rows(tried: "Mapping[str, list[Source | Failure]]") -> "dict[str, list[Source]]":
    """What can be read, without the mask of an image that cannot, or the image of such a mask."""
    whole: dict[str, list[Source]] = {name: [] for name in tried}
    for place in range(max(map(len, tried.values()))):
        row = {name: column[place % len(column)] for name, column in tried.items()}
        sources = {name: each for name, each in row.items() if not isinstance(each, Failure)}
        if len(sources) == len(row):
            for name, source in sources.items():
                whole[name].append(source)
    return whole
