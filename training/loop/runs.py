"""Run a training in a folder: start, report, checkpoint, stop at a signal, resume, and load the result."""

import dataclasses
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from gan_serve.errors import UsageError
from gan_serve.metadata import Data, Training
from gan_serve.system.interrupt import deferred_signals
from training import distributed, progress, variants
from training.data import loading
from training.data.catalog import SOURCES, STACKED_MNIST
from training.data.dataset import Dataset, DataSpec
from training.gan import GAN, Recipe
from training.loop import checkpoint, devices, git, replacing
from training.loop.folder import CHECKPOINT, CheckpointWriter, exclusive, prepare, snapshots
from training.loop.reporting import Report, describe_start
from training.loop.trainer import Trainer, averaged

SNAPSHOTS = 16  # averages of the networks that are kept, evenly spaced, for the learning curve


@dataclass(frozen=True)
class Run:
    """The settings that determine a training, for `--resume` and the model card."""

    variant: str
    recipe: Recipe
    data: str  # a known name, a file or a folder
    seed: int = 0
    precision: str = "auto"  # bf16 on a processor with units for it, otherwise fp32


@dataclass(frozen=True)
class Trained:
    """The result of a run: the averaged networks, and the facts for the model card."""

    variant: str
    gan: GAN
    source: str  # where the data was
    data: Data
    training: Training
    snapshots: tuple[Path, ...] = ()  # averages at earlier steps, for `load_snapshot`


class Stopped(Exception):
    """A signal stopped the training after its checkpoint was written."""

    def __init__(self, number: int, step: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name} at step {step}")
        self.exit_code = 128 + number


def train(run: Run, folder: Path, *, resume: bool, device: str = "auto", checkpoint_minutes: float = 5.0) -> Path:
    """Train to the last step; return the checkpoint, which is written at intervals, at a signal and at the end.

    The files of an earlier training in the folder stay until the first checkpoint of this one is written.

    Raises:
        Stopped: SIGTERM or SIGINT arrived.
        UsageError: the training is past its last step, or its data has changed.
        Failure: a loss or a weight is useless, the folder cannot be written, another process trains there, or the
            checkpoint is of other networks; it stays unchanged.
    """
    replacing.check_writable(folder)
    with progress.working(f"loading {run.data}"):
        recipe = run.recipe
        dataset = loading.load(run.data, image_size=recipe.image_size, views=recipe.views, pairs=recipe.pairs)
    torch.manual_seed(run.seed)
    gan = variants.find(run.variant)(dataset.spec, run.recipe)
    trainer = Trainer(gan, gan.source(dataset), seed=run.seed, precision=run.precision, device=device)
    facts = _facts(trainer, run, dataset)
    path = folder / CHECKPOINT
    try:
        if resume:
            _restore(trainer, facts, path)
            if trainer.step == run.recipe.steps:
                progress.say(f"this training has reached its last step, {trainer.step:,}; give more --steps to go on")
                return path
        dataset.check_batch(run.recipe.batch_size)
        with exclusive(folder):
            prepare(folder, trainer, min(SNAPSHOTS, run.recipe.steps - trainer.step))
            progress.say(describe_start(trainer, dataset, folder))
            with Report(folder, run.recipe.steps, dataset, done=trainer.step) as report, deferred_signals() as received:
                _train_to_end(trainer, facts, report, path, received=received, minutes=checkpoint_minutes)
        distributed.wait()
    finally:
        distributed.stop()
    return path


def _restore(trainer: Trainer, facts: checkpoint.State, path: Path) -> None:
    """Restore the training from its checkpoint."""
    state = checkpoint.load(path, trainer.device)
    _check_same_data(state, facts)
    steps = trainer.recipe.steps
    if state["step"] > steps:
        raise UsageError(f"this training has come to step {state['step']:,}, further than {steps:,}; give more --steps")
    with checkpoint.filling_networks(path):
        trainer.restore(state)
    for name in ("commit", "hardware"):
        facts[name] = _joined(state[name], facts[name], trainer.step)


def _check_same_data(state: checkpoint.State, facts: checkpoint.State) -> None:
    before, now = (DataSpec.from_document(each["spec"]) for each in (state, facts))
    if before != now:
        raise UsageError(
            f"the data has changed since this training started: it was of {before}, and is of {now}; "
            "restore the data, or start again with --overwrite instead of --resume"
        )
    before_images, now_images = state["data"]["images"], facts["data"]["images"]
    if before_images != now_images:
        progress.warn(
            f"the data has {now_images:,} images to train on, and had {before_images:,} when this training started"
        )


def _train_to_end(
    trainer: Trainer, facts: checkpoint.State, report: Report, path: Path, *, received: list[int], minutes: float
) -> None:
    saved, steps = time.monotonic(), trainer.recipe.steps
    writer = CheckpointWriter(path, trainer.step)
    for terms in trainer.train():
        stop = distributed.any_process(bool(received), trainer.device)
        snapshot = trainer.step * SNAPSHOTS // steps > (trainer.step - 1) * SNAPSHOTS // steps
        save = stop or snapshot or trainer.step == steps or time.monotonic() - saved > 60 * minutes
        with writer.explain_failure():
            report.after_step(trainer, terms, now=save)  # before the checkpoint, which must not hold useless weights
            if save:
                saved = time.monotonic()
                writer.write(trainer.state() | facts, snapshot)
        if stop:
            raise Stopped(received[0] if received else signal.SIGTERM, trainer.step)


def _facts(trainer: Trainer, run: Run, dataset: Dataset) -> checkpoint.State:
    return {
        "run": dataclasses.asdict(run) | {"precision": trainer.precision},
        "spec": dataclasses.asdict(dataset.spec),
        "data": dataclasses.asdict(dataset.data),
        "hardware": devices.describe(trainer.device),
        "commit": git.commit(),
    }


def _joined(before: str, now: str, step: int) -> str:
    """Return which code, or which hardware, trained which steps."""
    return before if before.endswith(now) else f"{before}, from step {step} {now}"


def saved_run(folder: Path, variant: str) -> Run:
    """Return the run whose checkpoint is in the folder.

    Raises:
        Failure: there is no readable checkpoint.
        UsageError: it is of another variant.
    """
    path = folder / CHECKPOINT
    return _run(checkpoint.load(path, torch.device("cpu")), path, variant)


def load_trained(folder: Path, variant: str) -> Trained:
    """Load the result of the training in the folder, finished or not; raises as `saved_run` does."""
    trained = load_snapshot(folder / CHECKPOINT, variant)
    return dataclasses.replace(trained, snapshots=snapshots(folder))


def load_snapshot(path: Path, variant: str) -> Trained:
    """Load the result of a training at the time of the file; raises as `saved_run` does."""
    state = checkpoint.load(path, torch.device("cpu"))
    run = _run(state, path, variant)
    average = averaged(variants.find(variant)(DataSpec.from_document(state["spec"]), run.recipe))
    with checkpoint.filling_networks(path):
        average.load_state_dict(state["average"])
    data = Data(**state["data"])
    training = Training(
        steps=state["step"],
        batch_size=run.recipe.batch_size,
        images_seen=state.get("images_seen"),
        seed=run.seed,
        precision=run.precision,
        hardware=state["hardware"],
        duration_seconds=round(state["seconds"], 1),
        processor_seconds=round(state["processor_seconds"], 1),
        commit=state["commit"],
        recipe=_as_json(dataclasses.replace(run.recipe, dataset=data.name)),  # the data may be other than the recipe's
        observed={name: round(value.item(), 4) for name, value in state["observed"].items()},
    )
    return Trained(variant, cast(GAN, average.module.eval()), run.data, data, training)


def _run(state: checkpoint.State, path: Path, variant: str) -> Run:
    fields: dict[str, Any] = dict(state["run"])
    if fields["variant"] != variant:
        raise UsageError(f"{path} holds a training of {fields['variant']}, not of {variant}; name its --output")
    return Run(**fields | {"recipe": recipe_from(variant, fields["recipe"])})


def located(data: str) -> str:
    """Return the name or the absolute path of data, which is found from any folder."""
    known = data in SOURCES or data == STACKED_MNIST
    return data if known or not Path(data).exists() else str(Path(data).absolute())


def recipe_from(variant: str, fields: dict[str, Any]) -> Recipe:
    """Return a variant's recipe with the values that a checkpoint or a model's metadata recorded."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return dataclasses.replace(variants.find(variant).recipe, **values)


def _as_json(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe with lists for tuples, as in JSON."""
    values = dataclasses.asdict(recipe)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
