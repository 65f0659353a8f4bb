"""Report a running training: its progress, TensorBoard values and samples, and warnings."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import torch
from rich.console import Console
from torch import Tensor

from gan_serve.errors import Failure
from gan_serve.tensors import Drawn
from training import distributed, progress
from training.data.dataset import Dataset, Terms, to_signed
from training.gan import Game
from training.loop.board import Board
from training.networks.parametrizations import fold_parametrizations

if TYPE_CHECKING:
    from training.loop.trainer import Trainer

LOG_STEPS = 50
IMAGE_STEPS = 1_000
EARLY_IMAGES = (50, 100, 200, 500)  # steps, so that the first samples come soon
CERTAIN_STEPS = 1_000  # that a discriminator may be certain before a warning
CERTAIN = 0.99
UNIFORM = 0.1  # of the variety of real images: samples that vary less have collapsed
IMAGES = 64
BOUND = 1e8  # a training with a larger loss or weight is useless


class Report:
    """Report one training; of several processes, only the first one prints and writes.

    Raises:
        Failure: TensorBoard's events cannot be written.
    """

    def __init__(
        self, output: Path, steps: int, dataset: Dataset, console: Console | None = None, *, done: int = 0
    ) -> None:
        self.real_variety = _variety(to_signed(dataset.images[:: max(1, len(dataset.images) // 1_000)]))
        self.sample_data = dataset.rows(slice(IMAGES))
        self.display = progress.Display(console) if console else progress.SHARED
        self.output, self.steps, self.done = output, steps, done
        self.board = Board(output / "tensorboard") if distributed.rank() == 0 else None
        self.certain_since: int | None = None
        self.images, self.seconds = 0, 0.0

    def __enter__(self) -> Self:
        self.activity = self.display.begin("training", self.steps, unit="step", done=self.done)
        return self

    def __exit__(self, *_: object) -> None:
        self.display.end(self.activity)
        if self.activity.done > self.done:
            self.display.say(str(self.activity))
        self._close()

    def _close(self) -> None:
        if self.board:
            self.board.close()
        self.board = None

    def after_step(self, trainer: Trainer, terms: Terms, *, now: bool = False) -> None:
        """Report every fiftieth step, and any step with `now`.

        Raises:
            Failure: a loss or a weight is not a number, or grows without bound.
        """
        if trainer.step % LOG_STEPS and not now:
            return
        values = {name: value.item() for name, value in (terms | trainer.game.diagnostics).items()}
        _check_finite(values | _largest(trainer.game), trainer)
        facts = " ".join(f"{key} {value:.2f}" for key, value in values.items())
        self.activity.update(trainer.step, speed=f"{self._speed(trainer):,.0f} images/s", facts=facts)
        self._warn_if_certain(values, trainer.step)
        try:
            self._log(values, trainer)
        except OSError as error:
            self._stop_logging(error)

    def _log(self, values: dict[str, float], trainer: Trainer) -> None:
        if self.board is None:
            return
        self.board.add_scalars(values, trainer.step)
        if trainer.step % IMAGE_STEPS == 0 or trainer.step in (*EARLY_IMAGES, self.steps):
            self._log_images(trainer, self.board)

    def _stop_logging(self, error: OSError) -> None:
        self._close()
        self.display.warn(
            f"{self.output / 'tensorboard'}: cannot be written ({error.strerror}); the training continues without it"
        )

    def _speed(self, trainer: Trainer) -> float:
        """Return the images per second since the last call."""
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
            self.display.warn(
                f"step {step}: the discriminator has been certain for {CERTAIN_STEPS} steps, so the generator learns "
                "little; lower discriminator_learning_rate, or train on more data"
            )

    def _log_images(self, trainer: Trainer, board: Board) -> None:
        samples = sample(cast(Game, trainer.average.module), self.sample_data)
        servable = next(iter(trainer.game.servables().values()))
        if isinstance(servable.outputs[0], Drawn):
            board.add_images(servable.outputs[0].to_pixels(samples.numpy()), trainer.step)
        begun = trainer.has_begun(servable.network)  # before, its samples mean nothing
        if begun and trainer.step >= IMAGE_STEPS and _variety(samples) < UNIFORM * self.real_variety:
            self.display.warn(
                f"step {trainer.step}: all samples look alike; see them with: tensorboard --logdir {self.output}; "
                "if they stay alike or blank, lower learning_rate, or use more varied data"
            )


def describe_start(trainer: Trainer, dataset: Dataset, folder: Path) -> str:
    """Return one line about the training that is about to start."""
    held_out = f" ({dataset.held_out:,} more are held out for the test)" if dataset.held_out else ""
    start = f" from step {trainer.step:,}" if trainer.step else ""
    return (
        f"{dataset.name}: {len(dataset.images):,} images to train on{held_out}, of {dataset.spec}; "
        f"training{start} to step {trainer.recipe.steps:,} in batches of {trainer.recipe.batch_size}, "
        f"on {trainer.device} in {trainer.precision}; output: {folder}"
    )


@torch.no_grad()
def sample(game: Game, dataset: Dataset) -> Tensor:
    """Return the first servable's output for fixed random inputs, or for the data, as float32 on the CPU."""
    part, servable = next(iter(game.servables().items()))
    case = game.evaluation_case(part, dataset)
    names = [tensor.name for tensor in servable.inputs]
    inputs = [case.inputs[name] for name in names] if case else servable.examples(len(dataset.images))
    device = next(game.parameters()).device
    output = fold_parametrizations(servable.network)(*(example.to(device) for example in inputs))
    first: Tensor = output[0] if isinstance(output, tuple) else output
    return first.float().cpu()


def _variety(images: Tensor) -> float:
    """Return the standard deviation over the images, averaged over the pixels."""
    return images.std(dim=0).mean().item()


@torch.no_grad()
def _largest(game: Game) -> dict[str, float]:
    """Return the largest absolute weight, or NaN; only one number is copied from a GPU."""
    weights = [tensor for tensor in game.state_dict().values() if tensor.is_floating_point() and tensor.numel()]
    norms = torch._foreach_norm(weights, math.inf)
    return {"a weight": torch.stack([norm.float() for norm in norms]).max().item()}


def _check_finite(values: dict[str, float], trainer: Trainer) -> None:
    useless = [name for name, value in values.items() if not abs(value) <= BOUND]
    if not useless:
        return
    finite = all(math.isfinite(values[name]) for name in useless)
    raise Failure(
        f"step {trainer.step}: {', '.join(useless)} {'grows without bound' if finite else 'is not a number'}; "
        f"lower the learning rate, which is {trainer.recipe.learning_rate:g}"
        + (", or train again with --precision fp32" if trainer.precision == "bf16" else "")
    )
