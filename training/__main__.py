"""The training command line: `python -m training --help`."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gan_serve.errors import GanServeError, UsageError
from training import variants
from training.gan import Recipe

app = typer.Typer(
    name="python -m training", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Train GAN variants, export them to ONNX, score them and publish them into models/.",
)  # fmt: skip

RUNS = Path("runs")
Variant = Annotated[str, typer.Argument(help="The name of a file in training/variants, such as acgan.")]
Folder = Annotated[Path | None, typer.Option("--output", "-o", help="The training's folder [default: runs/VARIANT].")]


@app.command("list")
def list_variants() -> None:
    """Name every variant, its data and its paper."""
    for name in variants.names():
        gan = variants.find(name)
        typer.echo(f"{name:12} {gan.recipe.dataset:14} {gan.paper.title} ({gan.paper.year})")


@app.command(epilog="Example: python -m training train acgan --data mnist.npz --steps 2000 --set learning_rate=1e-4")
def train(
    variant: Variant,
    data: Annotated[str | None, typer.Option(help="A known name, an .npz file or a folder [default: the recipe's].")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps [default: the recipe's].")] = None,
    batch_size: Annotated[int | None, typer.Option(min=2, help="Images per step and process.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 0,
    output: Folder = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    checkpoint_minutes: Annotated[float, typer.Option(min=0.01, help="Minutes between checkpoints.")] = 5.0,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Override any recipe value: NAME=VALUE.")] = None,
) -> None:
    """Train a variant; stop it with Ctrl-C and go on with --resume."""
    from training import distributed
    from training.report import Report
    from training.train import Run, Stopped, Trainer, run_from

    folder = output or RUNS / variant
    given = {"steps": steps, "batch_size": batch_size} | _parsed(variants.find(variant).recipe, settings or [])
    changes = {name: value for name, value in given.items() if value is not None}
    state = None
    if resume:
        state = checkpoint_of(folder, variant)
        run = run_from(state)
    else:
        recipe = variants.find(variant).recipe
        run = Run(variant, recipe, data=data or recipe.dataset, seed=seed, precision=precision)
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **changes))
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(run, folder, device)
    if state:
        trainer.restore(state)
    try:
        with Report(folder, run.recipe.steps) as report:
            trainer.train(report, checkpoint_minutes)
    except Stopped as stopped:
        typer.echo(f"{stopped} at step {trainer.step}; go on with: python -m training train {variant} --resume", err=True)
        raise typer.Exit(stopped.exit_code) from None
    finally:
        distributed.stop()
    typer.echo(f"{folder / 'checkpoint.pt'}")


def checkpoint_of(folder: Path, variant: str) -> Any:
    """The checkpoint in a training's folder, which must be the variant's."""
    from training import checkpoint, hardware
    from training.train import CHECKPOINT

    state = checkpoint.load(folder / CHECKPOINT, hardware.find_device("cpu"))
    if state["run"]["variant"] != variant:
        raise UsageError(f"{folder} holds a training of {state['run']['variant']}, not of {variant}")
    return state


def _parsed(recipe: Recipe, settings: list[str]) -> dict[str, Any]:
    """`["learning_rate=1e-4"]` -> `{"learning_rate": 1e-4}`, each value as the field's own type.

    Raises:
        UsageError: no such field, or no value of its type.
    """
    from pydantic import TypeAdapter, ValidationError

    kinds = {field.name: field.type for field in dataclasses.fields(recipe)}
    parsed = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in kinds:
            raise UsageError(f"the recipe has no {name!r}; it has {', '.join(kinds)}")
        value = [part.strip() for part in text.split(",")] if "tuple" in str(kinds[name]) else text
        try:
            parsed[name] = TypeAdapter(kinds[name]).validate_python(value)
        except ValidationError:
            raise UsageError(f"{setting!r}: {name} is a {getattr(kinds[name], '__name__', kinds[name])}") from None
    return parsed


def main() -> None:
    """Run the command line; an error of the user's is one line."""
    try:
        app()
    except GanServeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
