"""Options and helpers that several commands share."""

import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gan_serve.repository import Model, Repository

ModelsOption = Annotated[
    Path | None, typer.Option("--models", metavar="DIR", help="The folder of models.  [env: GAN_SERVE_MODELS]")
]
DeviceOption = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or cuda:N.")]
InexactOption = Annotated[
    bool, typer.Option("--inexact", help="Compute a large image faster on several cores, to within 1/255 per pixel.")
]


def open_repository(models: Path | None) -> "Repository":
    """Return the repository in this folder, or that of the shipped models."""
    from gan_serve.repository import Repository, models_folder

    return Repository(models_folder(models))


@functools.cache
def find_model(name: str, models: Path | None) -> "Model":
    """Read a model, once for its options and its run."""
    return open_repository(models).find(name)


def flag(name: str) -> str:
    """Return the option of an input."""
    return f"--{name.replace('_', '-')}"


def report(error: object, kind: str = "error") -> None:
    """Print a message in one line on stderr. Control characters, which could drive a terminal, are escaped."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], " ".join(str(error).split()))
    typer.echo(f"{kind}: {line}", err=True)


def with_examples(command: Callable[..., None]) -> str:
    """Return a command's help, with each example on its own line."""
    return inspect.cleandoc(command.__doc__ or "").replace("Examples:", "\b\nExamples:")
