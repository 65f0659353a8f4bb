"""Training one network."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from gan_serve.errors import UsageError
from training import variants
from training.cli.options import RUNS, Device, Folder, Replace, Training
from training.gan import CHANGEABLE, Recipe

if TYPE_CHECKING:
    from training.loop.runs import Run

commands = typer.Typer()


@commands.command("list")
def list_variants() -> None:
    """Name every training, its data and its paper."""
    for name, (variant, recipe) in variants.trainings().items():
        paper = variants.find(variant).paper
        typer.echo(f"{name:17} {recipe.dataset:14} {paper.title} ({paper.year})")


@commands.command(
    epilog="Example: python -m training train acgan --data mnist.npz --steps 2000 --set learning_rate=1e-4"
)
def train(
    name: Training,
    data: Annotated[
        str | None, typer.Option(help="A known name, an .npz file or a folder.  [default: the recipe's]")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps.  [default: the recipe's]")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=2, help="Images per step and process.  [default: the recipe's]")
    ] = None,
    device: Device = "auto",
    precision: Annotated[str | None, typer.Option(help="auto, fp32 or bf16.  [default: auto]")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Decides weights, batches and noise.  [default: 0]")] = None,
    output: Folder = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew, and replace the training that is in the folder.")
    ] = False,
    checkpoint_minutes: Annotated[float, typer.Option(min=0.01, help="Minutes between checkpoints.")] = 5.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override any recipe value: NAME=VALUE.  [default: none]")
    ] = None,
) -> None:
    """Train a variant; stop it with Ctrl-C and go on with --resume."""
    from training import distributed
    from training.loop import runs
    from training.loop.folder import refuse_existing

    if resume and overwrite:
        raise UsageError("--resume goes on and --overwrite starts anew; use one of them")
    folder = output or RUNS / name
    variant, recipe = variants.training(name)
    given = {"steps": steps, "batch_size": batch_size} | parsed(recipe, settings or [])
    changes = {name: value for name, value in given.items() if value is not None}
    dataset = changes.pop("dataset", None)
    data = data or dataset
    if resume:
        run = runs.saved_run(folder, variant)
        _refuse_changes(run, {"data": data, "seed": seed, "precision": precision}, changes)
    else:
        if not overwrite:
            refuse_existing(folder)
        run = runs.Run(variant, recipe, runs.located(data or recipe.dataset), seed or 0, precision or "auto")
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **changes))
    try:
        path = runs.train(run, folder, resume=resume, device=device, checkpoint_minutes=checkpoint_minutes)
    except runs.Stopped as stopped:
        again = shlex.join(["python", "-m", "training", "train", name, "--output", str(folder), "--resume"])
        typer.echo(f"{stopped}; go on with: {again}", err=True)
        raise typer.Exit(stopped.exit_code) from None
    if distributed.rank() == 0:
        typer.echo(path)


def _refuse_changes(run: "Run", given: dict[str, str | int | None], changes: dict[str, Any]) -> None:
    """Refuse what would make it another training, and say what changes on its way."""
    from training.loop import progress
    from training.loop.runs import located

    kept: dict[str, tuple[Any, Any]] = {"--data": (located(run.data), given["data"] and located(str(given["data"])))}
    kept |= {f"--{name}": (getattr(run, name), given[name]) for name in ("seed", "precision")}
    kept |= {name: (getattr(run.recipe, name), value) for name, value in changes.items() if name not in CHANGEABLE}
    for name, (before, value) in kept.items():
        if value not in (None, before):
            raise UsageError(
                f"this training has {name} {before}, not {value}; to go on, leave that out; "
                "to start anew, use --overwrite in place of --resume"
            )
    for name, value in changes.items():
        before = getattr(run.recipe, name)
        if value != before:
            progress.say(f"{name} is {value} from here on, and was {before}")


@commands.command(epilog="Example: python -m training prepare nouns nouns-artwork --output data/nouns.npz")
def prepare(
    data: Annotated[
        Literal["nouns", "lpc", "emoji_lines", "emoji_styles", "camvid", "bsds"], typer.Argument(help="What to make.")
    ],
    source: Annotated[Path, typer.Argument(help="The folder that its files were unpacked to.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file that is written.  [default: DATA.npz]")
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=10,
            help="Composed characters in the training set; the test set has a fifth as many, less those that look "
            "like one of the training set.  [default: 50,000 nouns, 20,000 lpc]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which images are for the test.")] = 0,
    replace: Replace = False,
) -> None:
    """Make a data set of unpacked files, to train on with --data: composed characters, or images in pairs."""
    from training.data import prepare as making
    from training.loop import progress
    from training.loop.replacing import check_new

    target = output or Path(f"{data}.npz")
    if target.suffix != ".npz":
        raise UsageError(f"{target}: data sets are .npz files; name one")
    check_new(target, "choose another --output", replace=replace)
    with progress.working(f"preparing {data}"):
        making.prepare(data, source, target, images=images, seed=seed)
    typer.echo(target)


@commands.command()
def judge(
    data: Annotated[str, typer.Argument(help="A known name, an .npz file or a folder.")],
    maps: Annotated[
        bool, typer.Option("--maps", help="Let it learn what every pixel shows, from CamVid's label maps.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training set.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Decides weights and batches.")] = 0,
    image_size: Annotated[
        int, typer.Option(min=8, help="Pixels that images of a folder are resized to: those of the models to score.")
    ] = 28,
    replace: Replace = False,
) -> None:
    """Train the classifier that scores what GANs make of a data set."""
    from training.evaluation.classifier_training import make_classifier
    from training.evaluation.segmenter import make_segmenter

    if maps:
        path, accuracy = make_segmenter(data, epochs, seed, replace=replace)
    else:
        path, accuracy = make_classifier(data, epochs, seed, image_size, replace=replace)
    typer.echo(f"{path} recognises {accuracy:.2%} of the {'pixels of the ' if maps else ''}test set")


def parsed(recipe: Recipe, settings: list[str]) -> dict[str, Any]:
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
