"""What a training tells while it runs: how far it is, TensorBoard figures and samples, and warnings at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import torch
from rich.console import Console
from torch import Tensor

from gan_serve.errors import Failure
from training import distributed
from training.data.dataset import Dataset, Terms, to_signed
from training.gan import Game
from training.loop import progress
from training.loop.board import Board
from training.networks.parametrizations import fold_parametrizations

if TYPE_CHECKING:
    from training.loop.trainer import Trainer

LOG_STEPS = 50
IMAGE_STEPS = 1_000
EARLY_IMAGES = (50, 100, 200, 500)  # steps, so that nobody has to wait long to see something
CERTAIN_STEPS = 1_000  # for so long a discriminator may be certain before it is said
CERTAIN = 0.99
UNIFORM = 0.1  # samples that vary less than this share of what real images do have collapsed
IMAGES = 64
BOUND = 1e8  # no loss and no weight of a training that is still of use is larger


class Report:
    """Follows one training; only the first process of several speaks and writes.

    Raises:
        Failure: TensorBoard's events cannot be written.
    """

    def __init__(
        self, output: Path, steps: int, dataset: Dataset, console: Console | None = None, *, done: int = 0
    ) -> None:
        self.real_variety = _variety(to_signed(dataset.images[:: max(1, len(dataset.images) // 1_000)]))
        self.shown = dataset.rows(slice(IMAGES))
        self.display = progress.Display(console) if console else progress.SHARED
        self.output, self.steps, self.done = output, steps, done
        self.board = Board(output / "tensorboard") if distributed.rank() == 0 else None
        self.certain_since: int | None = None
        self.images, self.seconds = 0, 0.0

    def __enter__(self) -> Self:
        self.work = self.display.begin("training", self.steps, unit="step", done=self.done)
        return self

    def __exit__(self, *_: object) -> None:
        self.display.end(self.work)
        if self.work.done > self.done:
            self.display.say(str(self.work))
        self._close()

    def _close(self) -> None:
        if self.board:
            self.board.close()
        self.board = None

    def after_step(self, trainer: Trainer, terms: Terms, *, now: bool = False) -> None:
        """Note one step, where it is one in many or is to be noted `now`.

        Raises:
            Failure: a loss or a weight is not a number, or grows without bound.
        """
        if trainer.step % LOG_STEPS and not now:
            return
        values = {name: value.item() for name, value in (terms | trainer.game.diagnostics).items()}
        _refuse_useless(values | _largest(trainer.game), trainer)
        facts = " ".join(f"{key} {value:.2f}" for key, value in values.items())
        self.work.update(trainer.step, speed=f"{self._speed(trainer):,.0f} images/s", facts=facts)
        self._warn_if_certain(values, trainer.step)
        try:
            self._log(values, trainer)
        except OSError as error:
            self._log_no_more(error)

    def _log(self, values: dict[str, float], trainer: Trainer) -> None:
        if self.board is None:
            return
        self.board.add_figures(values, trainer.step)
        if trainer.step % IMAGE_STEPS == 0 or trainer.step in (*EARLY_IMAGES, self.steps):
            self._show_images(trainer, self.board)

    def _log_no_more(self, error: OSError) -> None:
        self._close()
        self.display.warn(
            f"{self.output / 'tensorboard'}: cannot be written ({error.strerror}); the training goes on without it"
        )

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
            self.display.warn(
                f"step {step}: the discriminator has been certain for {CERTAIN_STEPS} steps, the generator learns "
                "little; lower discriminator_learning_rate, or train on more data"
            )

    def _show_images(self, trainer: Trainer, board: Board) -> None:
        images = sample(cast(Game, trainer.average.module), self.shown)
        board.add_images(images.add(1).div(2).clamp(0, 1), trainer.step)
        if trainer.step >= IMAGE_STEPS and _variety(images) < UNIFORM * self.real_variety:
            self.display.warn(
                f"step {trainer.step}: all samples look alike; see them with: tensorboard --logdir {self.output}; "
                "if they stay so, lower learning_rate (too high also where they are blank), or use more varied data"
            )


def understood(trainer: Trainer, dataset: Dataset, folder: Path) -> str:
    """What is about to happen, in one line."""
    held_out = f" ({dataset.held_out:,} more are held out for the test)" if dataset.held_out else ""
    begun = f" from step {trainer.step:,}" if trainer.step else ""
    return (
        f"{dataset.name}: {len(dataset.images):,} images to train on{held_out}, of {dataset.spec}; "
        f"training{begun} to step {trainer.recipe.steps:,} in batches of {trainer.recipe.batch_size}, "
        f"on {trainer.device} in {trainer.precision}; output: {folder}"
    )


@torch.no_grad()
def sample(game: Game, dataset: Dataset) -> Tensor:
    """What the first servable makes of fixed random inputs, or of the data, as float32 on the CPU."""
    part, servable = next(iter(game.servables().items()))
    case = game.evaluation_case(part, dataset)
    names = [tensor.name for tensor in servable.inputs]
    inputs = [case.inputs[name] for name in names] if case else servable.examples(len(dataset.images))
    device = next(game.parameters()).device
    output = fold_parametrizations(servable.network)(*(example.to(device) for example in inputs))
    first: Tensor = output[0] if isinstance(output, tuple) else output
    return first.float().cpu()


def _variety(images: Tensor) -> float:
    """The standard deviation over the images, averaged over the pixels."""
    return images.std(dim=0).mean().item()


@torch.no_grad()
def _largest(game: Game) -> dict[str, float]:
    """The largest absolute weight of all, or one that is no number; one number is fetched from a GPU."""
    weights = [tensor for tensor in game.state_dict().values() if tensor.is_floating_point() and tensor.numel()]
    norms = torch._foreach_norm(weights, math.inf)
    return {"a weight": torch.stack([norm.float() for norm in norms]).max().item()}


def _refuse_useless(values: dict[str, float], trainer: Trainer) -> None:
    wrong = [name for name, value in values.items() if not abs(value) <= BOUND]
    if not wrong:
        return
    finite = all(math.isfinite(values[name]) for name in wrong)
    raise Failure(
        f"step {trainer.step}: {', '.join(wrong)} {'grows without bound' if finite else 'is not a number'}; "
        f"lower the learning rate, which is {trainer.recipe.learning_rate:g}"
        + (", or train anew with --precision fp32" if trainer.precision == "bf16" else "")
    )
