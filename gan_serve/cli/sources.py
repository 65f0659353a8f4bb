"""Pictures named on the command line. One that cannot be read does not stop the others."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from gan_serve.cli.options import complain
from gan_serve.errors import Failure

if TYPE_CHECKING:
    from gan_serve.metadata import ModelMetadata
    from gan_serve.sources import Source


@contextmanager
def readable(metadata: "ModelMetadata", inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The inputs with their pictures found and tried; the exit code is 1 in the end if some were left out.

    Raises:
        UsageError: there is no such picture.
        Failure: none could be read.
    """
    values, complete = dict(inputs), True
    for name in [tensor.name for tensor in metadata.image_inputs if inputs[tensor.name]]:
        values[name], failures = _open(name, inputs[name])
        complete = complete and not failures
    yield values
    if not complete:
        raise typer.Exit(1)


def _open(name: str, given: list[str]) -> "tuple[list[Source], list[Failure]]":
    from gan_serve.sources import open_source, picture_files

    sources, failures = [], []
    for path in [path for each in given for path in picture_files(name, each)]:
        try:
            sources.append(open_source(path))
        except Failure as error:
            failures.append(error)
    for failure in failures if sources else failures[:-1]:
        complain(failure)
    if not sources:
        raise failures[-1]
    return sources, failures
