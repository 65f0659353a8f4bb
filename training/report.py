"""What a training tells while it runs: a progress bar, TensorBoard scalars and pictures, and warnings at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from gan_serve.errors import Failure
from training import distributed
from training.baking import baked
from training.dataset import Dataset, to_signed
from training.gan import Game, Terms

if TYPE_CHECKING:
    from training.train import Trainer

LOG_STEPS = 50
PICTURE_STEPS = 1_000
CERTAIN_STEPS = 1_000  # for so long a discriminator may be certain before it is said
CERTAIN = 0.99
UNIFORM = 0.1  # samples that vary less than this share of what real images do have collapsed
PICTURES = 64


class Report:
    """Follows one training; only the first process of several speaks and writes."""

    def __init__(self, output: Path, steps: int, dataset: Dataset, console: Console | None = None) -> None:
        self.real_variety = _variety(to_signed(dataset.images[:: max(1, len(dataset.images) // 1_000)]))
        self.shown = dataset.rows(slice(PICTURES))
        self.console = console or Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"), console=self.console, disable=distributed.rank() != 0,
        )  # fmt: skip
        self.task = self.bar.add_task("training", total=steps, facts="")
        self.board = SummaryWriter(output / "tensorboard") if distributed.rank() == 0 else None
        self.certain_since: int | None = None
        self.images, self.seconds = 0, 0.0

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
        if self.board:
            self.board.close()

    def after_step(self, trainer: Trainer, terms: Terms, *, now: bool = False) -> None:
        """Note one step, where it is one in many or is to be noted `now`.

        Raises:
            Failure: a loss is not a number.
        """
        if trainer.step % LOG_STEPS and not now:
            return
        values = {name: value.item() for name, value in (terms | trainer.game.observed).items()}
        _refuse_nan(values, trainer.step)
        if self.board is None:
            return
        for name, value in values.items():
            self.board.add_scalar(name, value, trainer.step)
        facts = " ".join(
            [f"{self._speed(trainer):,.0f} images/s", *(f"{key} {value:.2f}" for key, value in values.items())]
        )
        self.bar.update(self.task, completed=trainer.step, facts=facts)
        self._warn_if_certain(values, trainer.step)
        if trainer.step % PICTURE_STEPS == 0:
            self._show_pictures(trainer, self.board)
            if not self.console.is_terminal:  # a log file shows no bar
                self.console.print(f"step {trainer.step} of {trainer.recipe.steps}: {facts}", highlight=False)

    def _speed(self, trainer: Trainer) -> float:
        """Images per second since the last time it was asked for."""
        speed = (trainer.images_seen - self.images) / max(trainer.seconds - self.seconds, 1e-9)
        self.images, self.seconds = trainer.images_seen, trainer.seconds
        return speed

    def _warn_if_certain(self, values: dict[str, float], step: int) -> None:
        certain = values.get("D(real)", 0.5) > CERTAIN and values.get("D(fake)", 0.5) < 1 - CERTAIN
        if not certain:
            self.certain_since = None
        elif self.certain_since is None:
            self.certain_since = step
        elif self.certain_since + CERTAIN_STEPS <= step < self.certain_since + CERTAIN_STEPS + LOG_STEPS:
            self.warn(
                f"step {step}: the discriminator has been certain for {CERTAIN_STEPS} steps, the generator learns "
                "little; lower discriminator_learning_rate, or train on more data"
            )

    def _show_pictures(self, trainer: Trainer, board: SummaryWriter) -> None:
        images = sample(cast(Game, trainer.average.module), self.shown)
        board.add_images("samples", images.add(1).div(2).clamp(0, 1), trainer.step)
        if _variety(images) < UNIFORM * self.real_variety:
            self.warn(
                f"step {trainer.step}: all samples look alike, the generator has collapsed; "
                "start again with another seed"
            )

    def warn(self, message: str) -> None:
        """Say it at once, above the bar."""
        self.console.print(f"[yellow]warning:[/] {message}", highlight=False)


@torch.no_grad()
def sample(game: Game, dataset: Dataset) -> Tensor:
    """What the first servable makes of fixed random inputs, or of the data, as float32 on the CPU."""
    part, servable = next(iter(game.servables().items()))
    trial = game.trial(part, dataset)
    names = [tensor.name for tensor in servable.inputs]
    inputs = [trial.inputs[name] for name in names] if trial else servable.examples(len(dataset.images))
    device = next(game.parameters()).device
    output = baked(servable.network)(*(example.to(device) for example in inputs))
    first: Tensor = output[0] if isinstance(output, tuple) else output
    return first.float().cpu()


def _variety(images: Tensor) -> float:
    """The standard deviation over the images, averaged over the pixels."""
    return images.std(dim=0).mean().item()


def _refuse_nan(values: dict[str, float], step: int) -> None:
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if wrong:
        raise Failure(
            f"step {step}: {', '.join(wrong)} is not a number; lower the learning rate, or use --precision fp32, "
            "and go on from the last checkpoint with --resume"
        )
