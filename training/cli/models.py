"""Commands that turn a training into models, scores and pages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gan_serve.errors import UsageError
from training.cli.options import MODELS, RUNS, Folder, Models, Name, Replace, ReplaceModels, Training, Version

if TYPE_CHECKING:
    from gan_serve.metadata import Score
    from training.loop.runs import Trained

commands = typer.Typer()


def _trained(training: str, output: Path | None) -> "Trained":
    from training import variants
    from training.loop import runs

    variant, _ = variants.training(training)
    return runs.load_trained(output or RUNS / training, variant)


def _name(training: str, name: str | None) -> str | None:
    """Return the model's name: that of the option, or that of a training that is not the variant's own."""
    from training import variants

    return name or (None if training in variants.names() else training)


@commands.command()
def export(
    training: Training,
    output: Folder = None,
    models: Models = MODELS,
    name: Name = None,
    version: Version = 1,
    replace: ReplaceModels = False,
) -> None:
    """Write a training's models as ONNX files, after checking that their outputs equal PyTorch's."""
    from training.publishing import publish

    trained, name = _trained(training, output), _name(training, name)
    for path in publish.export_all(trained, models, name=name, version=version, replace=replace):
        typer.echo(path)


@commands.command(epilog="Example: python -m training evaluate --all")
def evaluate(
    model: Annotated[str | None, typer.Argument(help="A model's name.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every model in the folder.")] = False,
    models: Models = MODELS,
    data: Annotated[
        str | None, typer.Option(help="The data, if it is a file or a folder.  [default: the model's own data set]")
    ] = None,
) -> None:
    """Score exported models with ONNX Runtime, and write the scores into their files and cards.

    A score that has changed is printed with its previous value.
    """
    from gan_serve.repository import Repository
    from training.publishing.publish import evaluate_in_place

    if every == (model is not None):
        raise UsageError("give the name of one model, or use --all")
    for name in [model] if model else Repository(models).names:
        before = {score.name: score.value for score in Repository(models).find(name).metadata.scores}
        for score in evaluate_in_place(models, name, data).scores:
            typer.echo(f"{name:20} {_line(score, before.get(score.name))}")


def _line(score: "Score", before: float | None) -> str:
    control = "" if score.control is None else f", untrained {score.control:g}"
    real = "" if score.real is None else f", real {score.real:g}"
    changed = "" if before in (None, score.value) else f", was {before:g}"
    return f"{score.name:22} {score.value:g}{real}{control}{changed}"


@commands.command("publish")
def publish_models(
    training: Training,
    output: Folder = None,
    models: Models = MODELS,
    name: Name = None,
    version: Version = 1,
    replace: ReplaceModels = False,
) -> None:
    """Export, evaluate and describe a training's models; if one of them fails, none is published."""
    from training import progress
    from training.publishing import publish

    trained, name = _trained(training, output), _name(training, name)
    with progress.working(f"publishing {training}"):
        paths = publish.publish(trained, models, name=name, version=version, replace=replace)
    for path in paths:
        typer.echo(path)


@commands.command(epilog="Example: python -m training score lsgan --output runs/lsgan --to lsgan.json")
def score(
    training: Training,
    to: Annotated[Path, typer.Option(help="The JSON file to write.")],
    output: Folder = None,
    replace: Replace = False,
) -> None:
    """Score a training's models without publishing them."""
    from training.experiments.study import check_record, write_record
    from training.publishing import publish

    trained = _trained(training, output)
    check_record(trained, to, replace=replace)
    write_record(trained, publish.score_all(trained), to)
    typer.echo(to)


@commands.command("cards")
def write_cards(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is out of date.")] = False,
) -> None:
    """Generate the model cards, the gallery and all tables from the models' metadata and the studies' records."""
    from training import documents

    stale = documents.write(Path(), check=check)
    for path in stale:
        typer.echo(f"{path} {'is out of date; run: python -m training cards' if check else 'written'}", err=check)
    if check and stale:
        raise typer.Exit(1)
