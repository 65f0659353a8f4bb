"""gan-serve list and gan-serve info: describe the models."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gan_serve.cli.options import ModelsOption, flag, open_repository, report
from gan_serve.errors import UsageError
from gan_serve.suggestions import nearest

if TYPE_CHECKING:
    from gan_serve.metadata import ModelMetadata, Score


def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the complete metadata as JSON.")] = False,
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only models for this task.")] = None,
    models: ModelsOption = None,
) -> None:
    """List the models with their task, options and output.

    Examples:
    gan-serve list
    gan-serve list --task image-to-image
    gan-serve list --json | jq '.[].name'
    """
    from gan_serve.metadata import TASKS

    if task and task not in TASKS:
        raise UsageError(f"no task {task!r}{nearest(task, TASKS)}; use {', '.join(TASKS)}")
    repository = open_repository(models)
    found, failures = repository.read_all()
    if not found and not failures:
        raise UsageError(repository.empty_message)
    selected = [model.metadata for model in found if task in (None, model.metadata.task)]
    if as_json:
        typer.echo(json.dumps([asdict(metadata) for metadata in selected], indent=2))
    elif selected:
        _print_table(selected)
    else:
        typer.echo(f"no models for {task}" if task else "no models", err=True)
    for failure in failures:
        report(failure, "broken")


def info(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model from gan-serve list.")],
    models: ModelsOption = None,
) -> None:
    """Show a model's inputs, outputs, scores and origin.

    Examples:
    gan-serve info acgan
    gan-serve info digits --models my-models/
    """
    found = open_repository(models).find(model)
    for name, value in _facts(found.metadata):
        typer.echo(f"{name:<12} {value}")
    typer.echo(f"{'file':<12} {found.path} ({len(found.content) / 1e6:.1f} MB, sha256 {found.sha256})")
    card = found.path.parent.parent / "README.md"
    if card.exists():
        typer.echo(f"{'card':<12} {card}")


def _print_table(models: "list[ModelMetadata]") -> None:
    from rich.console import Console
    from rich.table import Column, Table

    console = Console(markup=False, emoji=False)  # descriptions may contain brackets and colons
    if not console.is_terminal:
        console.width = 200  # a pipe has no width, and its reader no use for line breaks
    table = Table(
        *(Column(name, no_wrap=True) for name in ("model", "version", "task", "options", "makes")),
        "description",
        box=None,
    )
    for model in models:
        options = " ".join(flag(name) for name in model.choices)
        table.add_row(model.name, str(model.version), model.task, options, _makes(model), model.description)
    console.print(table)


def _facts(model: "ModelMetadata") -> list[tuple[str, str]]:
    training, data, paper = model.training, model.data, model.paper
    return [
        ("model", f"{model.name} version {model.version}: {model.description}"),
        ("task", model.task),
        *(("input", f"{tensor.name}: {tensor.takes}") for tensor in model.inputs),
        *(("output", f"{tensor.name}: {tensor.makes}") for tensor in model.outputs),
        *(("score", _score(score)) for score in model.scores),
        ("paper", f"{paper.title}, {paper.authors} {paper.year}, {paper.url}"),
        ("data", f"{data.name}, {data.images:,} images, {data.license}, {data.attribution}"),
        (
            "training",
            f"{training.steps:,} steps of {training.batch_size} in {training.precision}, seed {training.seed}, "
            f"{training.duration_seconds / 60:.0f} min on {training.hardware}",
        ),
    ]


def _makes(model: "ModelMetadata") -> str:
    """Return the first of several images or numbers; of a model that makes both, the names of its numbers as well."""
    if not model.drawn_outputs:
        return model.outputs[0].makes
    return ", ".join([model.drawn_outputs[0].makes, *(tensor.name for tensor in model.numeric_outputs)])


def _score(score: "Score") -> str:
    beside = [("real data", score.real), ("untrained", score.control)]
    known = ", ".join(f"{name} {value:g}" for name, value in beside if value is not None)
    return f"{score.name} {score.value:g}{f' ({known})' if known else ''}: {score.description}"
