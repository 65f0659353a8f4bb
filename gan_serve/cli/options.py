"""Options and habits that several commands share."""

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
    Path | None, typer.Option("--models", metavar="DIR", help="Folder of models.  [env: GAN_SERVE_MODELS]")
]
DeviceOption = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or cuda:N.")]
InexactOption = Annotated[
    bool, typer.Option("--inexact", help="Make one large image faster on several cores, to within 1/255 a pixel.")
]


def open_repository(models: Path | None) -> "Repository":
    """The models in the folder that the user named, or the shipped ones."""
    from gan_serve.repository import Repository, models_folder

    return Repository(models_folder(models))


@functools.cache
def find_model(name: str, models: Path | None) -> "Model":
    """The model that the user named; its options and its run share one reading."""
    return open_repository(models).find(name)


def flag(name: str) -> str:
    """How an input is written on the command line."""
    return f"--{name.replace('_', '-')}"


def report(error: object, kind: str = "error") -> None:
    """Say in one line what is wrong; control characters, which may tell a terminal anything, are escaped."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], " ".join(str(error).split()))
    typer.echo(f"{kind}: {line}", err=True)


def with_examples(command: Callable[..., None]) -> str:
    """The help of a command, where each example keeps its line."""
    return inspect.cleandoc(command.__doc__ or "").replace("Examples:", "\b\nExamples:")
