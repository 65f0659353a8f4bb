"""The training command line: `python -m training --help`."""

import dataclasses
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from gan_serve.errors import GanServeError, UsageError
from gan_serve.metadata import Score
from training import variants
from training.gan import Recipe

if TYPE_CHECKING:
    from training.zoo import Outcome

app = typer.Typer(
    name="python -m training", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Train GAN variants, export them to ONNX, score them and publish them into models/.",
)  # fmt: skip

RUNS, MODELS, RECORDS = Path("runs"), Path("models"), Path("docs/studies")
Variant = Annotated[str, typer.Argument(help="The name of a file in training/variants, such as acgan.")]
Folder = Annotated[Path | None, typer.Option("--output", "-o", help="The training's folder [default: runs/VARIANT].")]

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
# What commands of many trainings have in common.
Minutes = Annotated[float | None, typer.Option(min=0, help="Stop after so many; call again to go on.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Trainings at a time [default: one per core; one on a GPU].")]
Steps = Annotated[int | None, typer.Option(min=1, help="Training steps, for a try [default: the recipes'].")]
Runs = Annotated[Path, typer.Option("--runs", help="The folder of all trainings.")]


@app.command("list")
def list_variants() -> None:
    """Name every variant, its data and its paper."""
    for name in variants.names():
        gan = variants.find(name)
        typer.echo(f"{name:12} {gan.recipe.dataset:14} {gan.paper.title} ({gan.paper.year})")


@app.command(epilog="Example: python -m training train acgan --data mnist.npz --steps 2000 --set learning_rate=1e-4")
def train(
    variant: Variant,
    data: Annotated[
        str | None, typer.Option(help="A known name, an .npz file or a folder [default: the recipe's].")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps [default: the recipe's].")] = None,
    batch_size: Annotated[int | None, typer.Option(min=2, help="Images per step and process.")] = None,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 0,
    output: Folder = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    checkpoint_minutes: Annotated[float, typer.Option(min=0.01, help="Minutes between checkpoints.")] = 5.0,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Override any recipe value: NAME=VALUE.")] = None,
) -> None:
    """Train a variant; stop it with Ctrl-C and go on with --resume."""
    from training import distributed, runs

    folder = output or RUNS / variant
    recipe = variants.find(variant).recipe
    run = (
        runs.saved_run(folder, variant)
        if resume
        else runs.Run(variant, recipe, data or recipe.dataset, seed, precision)
    )
    given = {"steps": steps, "batch_size": batch_size} | _parsed(recipe, settings or [])
    changes = {name: value for name, value in given.items() if value is not None}
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **changes))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = runs.play(run, folder, resume=resume, device=device, checkpoint_minutes=checkpoint_minutes)
    except runs.Stopped as stopped:
        typer.echo(f"{stopped}; go on with: python -m training train {variant} --output {folder} --resume", err=True)
        raise typer.Exit(stopped.exit_code) from None
    if distributed.rank() == 0:
        typer.echo(path)


@app.command(epilog="Example: python -m training prepare nouns nouns-artwork --output data/nouns.npz")
def prepare(
    data: Annotated[Literal["nouns", "lpc"], typer.Argument(help="What to compose.")],
    source: Annotated[Path, typer.Argument(help="The folder of its layers.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="[default: DATA.npz]")] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=10, help="In the training set; the test set has a fifth as many [default: 50,000 nouns, 20,000 lpc]."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which characters.")] = 0,
) -> None:
    """Compose a data set of characters with captions and traits, to train on with --data."""
    from training import prepare as composing

    target = output or Path(f"{data}.npz")
    composing.prepare(data, source, target, images=images, seed=seed)
    typer.echo(target)


@app.command()
def judge(
    data: Annotated[str, typer.Argument(help="A known name, an .npz file or a folder.")],
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training set.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Decides weights and batches.")] = 0,
) -> None:
    """Train the classifier that scores what GANs make of a data set."""
    from training.judge import make_judge

    path, accuracy = make_judge(data, epochs, seed)
    typer.echo(f"{path} recognises {accuracy:.2%} of the test set")


Models = Annotated[Path, typer.Option(help="The folder of models.")]
Name = Annotated[str | None, typer.Option(help="The model's name [default: the variant's].")]
Version = Annotated[int, typer.Option(min=1, help="The model's version.")]


@app.command()
def export(
    variant: Variant, output: Folder = None, models: Models = MODELS, name: Name = None, version: Version = 1
) -> None:
    """Write a training's models as ONNX files; a file that differs from PyTorch is refused."""
    from training import publish, runs

    for path in publish.export_all(
        runs.load_trained(output or RUNS / variant, variant), models, name=name, version=version
    ):
        typer.echo(path)


@app.command(epilog="Example: python -m training evaluate --all")
def evaluate(
    model: Annotated[str | None, typer.Argument(help="A model's name.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every model in the folder.")] = False,
    models: Models = MODELS,
    data: Annotated[str | None, typer.Option(help="Its data, if that is a file or a folder.")] = None,
) -> None:
    """Score exported models through ONNX Runtime; the scores go into their files and cards.

    A score that differs from what the file said before is shown beside that.
    """
    from gan_serve.repository import Repository
    from training.publish import evaluate_in_place

    if every == (model is not None):
        raise UsageError("name one model, or say --all")
    for name in [model] if model else Repository(models).names:
        before = {score.name: score.value for score in Repository(models).find(name).metadata.scores}
        for score in evaluate_in_place(models, name, data).scores:
            typer.echo(f"{name:20} {_told(score, before.get(score.name))}")


def _told(score: Score, before: float | None) -> str:
    control = "" if score.control is None else f", untrained {score.control:g}"
    changed = "" if before in (None, score.value) else f", was {before:g}"
    return f"{score.name:22} {score.value:<10g} real {score.real:g}{control}{changed}"


@app.command("publish")
def publish_models(
    variant: Variant, output: Folder = None, models: Models = MODELS, name: Name = None, version: Version = 1
) -> None:
    """Export, evaluate and describe a training's models, all or nothing."""
    from training import publish, runs

    for path in publish.publish(
        runs.load_trained(output or RUNS / variant, variant), models, name=name, version=version
    ):
        typer.echo(path)


@app.command(epilog="Example: python -m training zoo lsgan wgan_gp --minutes 120")
def zoo(
    names: Annotated[list[str] | None, typer.Argument(help="Variants [default: all].")] = None,
    minutes: Minutes = None,
    device: Device = "auto",
    jobs: Jobs = None,
    steps: Steps = None,
    runs_folder: Runs = RUNS,
    models: Models = MODELS,
) -> None:
    """Train and publish many variants from scratch; stopped, it goes on when called again."""
    from training import hardware
    from training.zoo import carry_out, is_published, publication

    chosen = list(dict.fromkeys(names or variants.names()))
    for name in chosen:
        variants.find(name)  # a wrong name is told before hours have passed
    options = () if steps is None else ("--steps", str(steps))
    done = [name for name in chosen if is_published(name, runs_folder, models)]
    tasks = [publication(name, runs_folder, models, options) for name in chosen if name not in done]
    outcome = carry_out(tasks, str(hardware.find_device(device)), jobs=jobs, minutes=minutes)
    _tell(done, outcome, "published")


@app.command(epilog="Example: python -m training study losses --minutes 120")
def study(
    name: Annotated[str, typer.Argument(help="One of those in training/studies.py.")],
    minutes: Minutes = None,
    device: Device = "auto",
    jobs: Jobs = None,
    steps: Steps = None,
    runs_folder: Runs = RUNS,
    records: Annotated[Path, typer.Option(help="Where the figures go.")] = RECORDS,
) -> None:
    """Train what is to be compared, each with several seeds, and record the scores; docs/studies.md is made of them."""
    from training import hardware, studies
    from training.zoo import carry_out

    chosen = studies.find(name)
    options = () if steps is None else ("--steps", str(steps))
    done = [case.name for case in chosen.cases if case.record(records / name).exists()]
    tasks = [case.task(runs_folder / name, records / name, options) for case in chosen.cases if case.name not in done]
    outcome = carry_out(tasks, str(hardware.find_device(device)), jobs=jobs, minutes=minutes)
    _tell(done, outcome, "recorded")


def _tell(done: list[str], outcome: "Outcome", ending: str) -> None:
    """What became of many tasks; the exit code says whether any failed."""
    for name in [*done, *outcome.finished]:
        typer.echo(f"{name}: {ending}")
    for name in outcome.unfinished:
        typer.echo(f"{name}: not finished; call again to go on")
    for name, log in outcome.failed.items():
        typer.echo(f"error: {name} failed, {log} says why", err=True)
    if outcome.failed or outcome.signal:
        raise typer.Exit(128 + outcome.signal if outcome.signal else 1)


@app.command(epilog="Example: python -m training score lsgan --output runs/lsgan --to lsgan.json")
def score(
    variant: Variant,
    to: Annotated[Path, typer.Option(help="The JSON file that is written.")],
    output: Folder = None,
) -> None:
    """Score a training's models without publishing them."""
    from training import publish, runs
    from training.study import write_record

    trained = runs.load_trained(output or RUNS / variant, variant)
    write_record(trained, publish.score_all(trained), to)
    typer.echo(to)


@app.command(
    "stacked-mnist", epilog="Example: python -m training stacked-mnist --variants dcgan,lsgan,wgan_gp --steps 5000"
)
def stacked_mnist(
    names: Annotated[str, typer.Option("--variants", help="Names with commas between them.")] = "dcgan,wgan_gp",
    steps: Annotated[int, typer.Option(min=1, help="Of each generator; a critic takes more.")] = 15_600,
    samples: Annotated[int, typer.Option(min=1, help="Pictures that are scored.")] = 25_600,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of all trainings.")] = RUNS
    / "stacked_mnist",
) -> None:
    """Count how many of 1,000 triples of digits variants draw, with the same networks; called again, it goes on."""
    from training import hardware, runs
    from training import stacked_mnist as comparison

    chosen = comparison.find([name.strip() for name in names.split(",")])
    device = str(hardware.find_device(device))  # a wrong one is told before anything is scored
    typer.echo(comparison.HEADER)
    try:
        for line in comparison.compare(chosen, output, steps=steps, samples=samples, seed=seed, device=device):
            typer.echo(line)
    except runs.Stopped as stopped:
        typer.echo(f"{stopped}; call again to go on", err=True)
        raise typer.Exit(stopped.exit_code) from None
    typer.echo(comparison.NOTES)
    typer.echo(f"Pictures: {output}/VARIANT-{seed}/sample.png")


@app.command("cards")
def write_cards(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a file is out of date.")] = False,
) -> None:
    """Generate the model cards, the gallery and all tables from the models' metadata and the studies' records."""
    from training import pages

    stale = pages.write(Path(), check=check)
    for path in stale:
        typer.echo(f"{path} {'is out of date; run: python -m training cards' if check else 'written'}", err=check)
    if check and stale:
        raise typer.Exit(1)


def _parsed(recipe: Recipe, settings: list[str]) -> dict[str, Any]:
    """`["learning_rate=1e-4"]` -> `{"learning_rate": 1e-4}`, each value as the field's own type.

    Raises:
        UsageError: no such field, or no value of its type.
    """
    from pydantic import TypeAdapter, ValidationError

    kinds: dict[str, Any] = get_type_hints(type(recipe))
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
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # one line, without the code's place
    try:
        app()
    except GanServeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
