"""Commands that prepare data and train one variant or one classifier."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from gan_serve.errors import UsageError
from training.cli.options import RUNS, Device, Folder, Replace, Training

if TYPE_CHECKING:
    from training.gan import Recipe
    from training.loop.runs import Run

commands = typer.Typer()


@commands.command("list")
def list_variants() -> None:
    """List every training with its data and its paper."""
    from training import variants

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
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoint in the folder.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start again, and replace the training in the folder.")
    ] = False,
    checkpoint_minutes: Annotated[float, typer.Option(min=0.01, help="Minutes between checkpoints.")] = 5.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override any recipe value: NAME=VALUE.  [default: none]")
    ] = None,
) -> None:
    """Train a variant; stop it with Ctrl-C and continue with --resume."""
    from training import distributed, variants
    from training.loop import runs
    from training.loop.folder import refuse_existing

    if resume and overwrite:
        raise UsageError("--resume continues a training and --overwrite starts again; use only one of them")
    folder = output or RUNS / name
    variant, recipe = variants.training(name)
    overrides = {"steps": steps, "batch_size": batch_size} | parsed(recipe, settings or [])
    changes = {name: value for name, value in overrides.items() if value is not None}
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
        resumption = shlex.join(["python", "-m", "training", "train", name, "--output", str(folder), "--resume"])
        typer.echo(f"{stopped}; continue with: {resumption}", err=True)
        raise typer.Exit(stopped.exit_code) from None
    if distributed.rank() == 0:
        typer.echo(path)


def _refuse_changes(run: "Run", options: dict[str, str | int | None], changes: dict[str, Any]) -> None:
    """Refuse changes that would make it a different training, and report the others."""
    from training import progress
    from training.gan import CHANGEABLE
    from training.loop.runs import located

    data = options["data"]
    fixed: dict[str, tuple[Any, Any]] = {"--data": (located(run.data), data and located(str(data)))}
    fixed |= {f"--{name}": (getattr(run, name), options[name]) for name in ("seed", "precision")}
    fixed |= {name: (getattr(run.recipe, name), value) for name, value in changes.items() if name not in CHANGEABLE}
    for name, (before, value) in fixed.items():
        if value not in (None, before):
            raise UsageError(
                f"this training has {name} {before}, not {value}; to continue it, leave that out; "
                "to start again, use --overwrite instead of --resume"
            )
    for name, value in changes.items():
        before = getattr(run.recipe, name)
        if value != before:
            progress.say(f"{name} changes from {before} to {value}")


@commands.command(epilog="Example: python -m training prepare nouns nouns-artwork --output data/nouns.npz")
def prepare(
    data: Annotated[
        Literal[
            "nouns",
            "nouns_40",
            "lpc",
            "lpc_garments",
            "lpc_poses",
            "emoji_lines",
            "emoji_styles",
            "camvid",
            "bsds",
            "mnist_m",
            "cmu_faces",
        ],
        typer.Argument(help="The data set to make."),
    ],
    source: Annotated[Path, typer.Argument(help="The folder that its files were unpacked to.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write.  [default: DATA.npz]")
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=10,
            help="Composed characters in the training set; the test set has a fifth as many, without those that look "
            "like one of the training set.  [default: 50,000 nouns, 20,000 lpc, 12,000 lpc_garments, 500 lpc_poses]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which images are in the test set.")] = 0,
    replace: Replace = False,
) -> None:
    """Make a data set from unpacked files, for --data: composed characters, images in pairs, or photos."""
    from training import progress
    from training.data import prepare as preparation
    from training.loop.replacing import check_new

    target = output or Path(f"{data}.npz")
    if target.suffix != ".npz":
        raise UsageError(f"{target}: data sets are .npz files; use a name that ends with .npz")
    check_new(target, "choose another --output", replace=replace)
    with progress.working(f"preparing {data}"):
        preparation.prepare(data, source, target, images=images, seed=seed)
    typer.echo(target)


@commands.command()
def judge(
    data: Annotated[str, typer.Argument(help="A known name, an .npz file or a folder.")],
    maps: Annotated[bool, typer.Option("--maps", help="Train on label maps to classify every pixel.")] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training set.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Decides weights and batches.")] = 0,
    image_size: Annotated[
        int, typer.Option(min=8, help="Image size in pixels for a folder of images: that of the models to score.")
    ] = 28,
    replace: Replace = False,
) -> None:
    """Train the classifier that scores GANs of a data set."""
    from training.evaluation.classifier_training import make_classifier
    from training.evaluation.segmenter import make_segmenter

    if maps:
        path, accuracy = make_segmenter(data, epochs, seed, replace=replace)
    else:
        path, accuracy = make_classifier(data, epochs, seed, image_size, replace=replace)
    typer.echo(f"{path} recognises {accuracy:.2%} of the {'pixels of the ' if maps else ''}test set")


def parsed(recipe: "Recipe", settings: list[str]) -> dict[str, Any]:
    """Parse `["learning_rate=1e-4"]` into `{"learning_rate": 1e-4}`, converting each value to its field's type.

    Raises:
        UsageError: there is no such field, or the value does not have its type.
    """
    from pydantic import TypeAdapter, ValidationError

    types: dict[str, Any] = get_type_hints(type(recipe))
    parsed = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in types:
            raise UsageError(f"the recipe has no {name!r}; it has {', '.join(types)}")
        value = [part.strip() for part in text.split(",")] if "tuple" in str(types[name]) else text
        try:
            parsed[name] = TypeAdapter(types[name]).validate_python(value)
        except ValidationError:
            type_name = getattr(types[name], "__name__", types[name])
            raise UsageError(f"{setting!r}: the type of {name} is {type_name}") from None
    return parsed
