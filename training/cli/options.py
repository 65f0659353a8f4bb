"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

RUNS, MODELS, RECORDS = Path("runs"), Path("models"), Path("docs/studies")
Training = Annotated[str, typer.Argument(help="What `python -m training list` names, such as acgan.")]
Folder = Annotated[Path | None, typer.Option("--output", "-o", help="The training's folder.  [default: runs/NAME]")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
# What commands of many trainings have in common.
Minutes = Annotated[
    float | None, typer.Option(min=0, help="Stop after so many; call again to go on.  [default: no limit]")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Trainings at a time.  [default: one per core; one on a GPU]")]
Steps = Annotated[int | None, typer.Option(min=1, help="Training steps, for a try.  [default: the recipes']")]
Runs = Annotated[Path, typer.Option("--runs", help="The folder of all trainings.")]
Models = Annotated[Path, typer.Option(help="The folder of models.")]
Name = Annotated[str | None, typer.Option(help="The model's name.  [default: the variant's]")]
Version = Annotated[int, typer.Option(min=1, help="The model's version.")]
ReplaceModels = Annotated[
    bool, typer.Option("--replace", help="Replace models that another training, or other data, has made.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace what is there already.")]
