"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

RUNS, MODELS, RECORDS = Path("runs"), Path("models"), Path("docs/studies")
Training = Annotated[str, typer.Argument(help="A name from `python -m training list`, such as acgan.")]
Folder = Annotated[Path | None, typer.Option("--output", "-o", help="The training's folder.  [default: runs/NAME]")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
# For commands that run many trainings.
Minutes = Annotated[
    float | None,
    typer.Option(min=0, help="Stop after this many minutes; run the command again to continue.  [default: no limit]"),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Trainings to run at once.  [default: one per core; one on a GPU]")
]
Steps = Annotated[int | None, typer.Option(min=1, help="Training steps, for a trial run.  [default: the recipes']")]
Runs = Annotated[Path, typer.Option("--runs", help="The folder of all trainings.")]
Models = Annotated[Path, typer.Option(help="The folder of models.")]
Name = Annotated[str | None, typer.Option(help="The model's name.  [default: the variant's]")]
Version = Annotated[int, typer.Option(min=1, help="The model's version.")]
ReplaceModels = Annotated[bool, typer.Option("--replace", help="Replace models from another training or other data.")]
Replace = Annotated[bool, typer.Option("--replace", help="Replace existing files.")]
