"""The one training loop. It knows players and stages, and no variant."""

import dataclasses
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gan_serve.errors import Failure
from training import checkpoint, datasets, distributed, hardware, provenance, variants
from training.gan import GAN, Batch, ImageSpec, Player, Recipe, Stage, Terms
from training.report import Report

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Run:
    """Everything that determines a training: what `--resume` and a model card need to know of it."""

    variant: str
    recipe: Recipe
    data: str  # a known name, a file or a folder
    seed: int = 0
    precision: str = "auto"  # bf16 where the processor has units for it, else fp32


class Stopped(Exception):
    """A signal asked the training to stop, and its checkpoint is written."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.exit_code = 128 + signal_number


class Trainer:
    """One training, from its first step or from a checkpoint, to its last step."""

    def __init__(self, run: Run, output: Path, device: str = "auto") -> None:
        self.device = hardware.find_device(device)
        self.run = dataclasses.replace(run, precision=hardware.find_precision(run.precision, self.device))
        self.output = output
        self.commit = provenance.commit()
        distributed.start(self.device)
        torch.manual_seed(run.seed)
        self.dataset = datasets.load(run.data, image_size=run.recipe.image_size)
        self.gan = variants.find(run.variant)(self.dataset.spec, run.recipe)
        self.gan.to(self.device, memory_format=torch.channels_last)
        distributed.broadcast(self.gan)
        self.average = averaged(self.gan)
        self.optimizers: dict[tuple[int, ...], torch.optim.Optimizer] = {}  # by the networks they move
        self.stages = self.gan.stages()
        self.entered = 0  # how many stages have begun
        self.step = 0
        self.seconds = 0.0

    def restore(self, state: checkpoint.State) -> None:
        """Stand where `state` was saved."""
        self.step, self.seconds = state["step"], state["seconds"]
        while self.entered < state["entered"]:
            self._enter_next_stage()
        self.gan.load_state_dict(state["gan"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers.values(), state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        checkpoint.restore_random_state(state["random"])

    def save(self) -> None:
        """Write the checkpoint; under `torchrun` the first process does."""
        if distributed.rank() != 0:
            return
        state = {
            "run": dataclasses.asdict(self.run),
            "spec": dataclasses.asdict(self.dataset.spec),
            "data": self.dataset.data.model_dump(),
            "hardware": hardware.describe(self.device),
            "commit": self.commit,
            "step": self.step,
            "seconds": self.seconds,
            "entered": self.entered,
            "gan": self.gan.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers.values()],
            "random": checkpoint.random_state(),
        }
        checkpoint.save(self.output / CHECKPOINT, state)

    def train(self, report: Report, checkpoint_minutes: float = 5.0) -> None:
        """Play to the last step, with a checkpoint every so many minutes, at a signal, and at the end.

        Raises:
            Stopped: SIGTERM or SIGINT arrived.
            Failure: a loss is not a number; the last checkpoint stays as it was.
        """
        batches = datasets.batches(self.dataset, self.run.recipe.batch_size, self.run.seed, self.device, self.step)
        began = saved = time.monotonic() - self.seconds
        with _signals() as received:
            for terms in self._steps(batches):
                self.seconds = time.monotonic() - began
                report.after_step(self, terms)
                stop = distributed.any_process(bool(received), self.device)
                if stop or time.monotonic() - saved > 60 * checkpoint_minutes:
                    self.save()
                    saved = time.monotonic()
                if stop:
                    raise Stopped(received[0] if received else signal.SIGTERM)
        self.save()

    def _steps(self, batches: Iterator[Batch]) -> Iterator[Terms]:
        for number, (first, last) in enumerate(self._spans()):
            while self.step < last:
                if self.entered == number:
                    self._enter_next_stage()
                terms = self._play(self.stages[number], next(batches))
                self.step += 1
                self.gan.after_step((self.step - first) / (last - first))
                self.average.update_parameters(self.gan)
                yield terms

    def _spans(self) -> list[tuple[int, int]]:
        """The first step and the one after the last step of each stage."""
        whole = sum(stage.share for stage in self.stages)
        ends, passed = [0], 0.0
        for stage in self.stages:
            passed += stage.share
            ends.append(round(self.run.recipe.steps * passed / whole))
        return list(zip(ends, ends[1:], strict=False))

    def _enter_next_stage(self) -> None:
        stage = self.stages[self.entered]
        stage.on_start()
        for player in stage.players.values():
            if _key(player) not in self.optimizers:
                self.optimizers[_key(player)] = self._optimizer(player)
        self.entered += 1

    def _optimizer(self, player: Player) -> torch.optim.Optimizer:
        recipe = self.run.recipe
        rate = player.learning_rate or recipe.learning_rate
        group = {"params": _parameters(player), "base_rate": rate}
        return torch.optim.Adam([group], lr=rate, betas=recipe.betas, fused=True)

    def _play(self, stage: Stage, batch: Batch) -> Terms:
        batch["image"] = batch["image"].contiguous(memory_format=torch.channels_last)
        played: Terms = {}
        for name, player in stage.players.items():
            if self.step % player.every == 0:
                terms = self._update(player, batch)
                played |= {f"{name}/{term}": value.detach() for term, value in terms.items()}
        return played

    def _update(self, player: Player, batch: Batch) -> Terms:
        parameters = _parameters(player)
        self.gan.requires_grad_(False)
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimizer = self.optimizers[_key(player)]
        optimizer.zero_grad()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.run.precision == "bf16"):
            terms = player.loss(batch)
            loss = torch.stack(list(terms.values())).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        distributed.average_gradients(parameters)
        for group in optimizer.param_groups:
            group["lr"] = group["base_rate"] * self._decay()
        optimizer.step()
        return terms

    def _decay(self) -> float:
        return 1 - (1 - self.run.recipe.final_learning_rate) * self.step / self.run.recipe.steps


def averaged(gan: GAN) -> AveragedModel:
    """The exponential average of a GAN's weights and buffers, which is what gets shipped."""
    return AveragedModel(gan, multi_avg_fn=get_ema_multi_avg_fn(gan.settings.ema), use_buffers=True)


def load_trained(output: Path) -> tuple[GAN, checkpoint.State]:
    """The averaged GAN of a training's folder, ready to be exported, and the checkpoint it came from.

    Raises:
        Failure: there is no readable checkpoint.
    """
    state = checkpoint.load(output / CHECKPOINT, torch.device("cpu"))
    run = run_from(state)
    gan = variants.find(run.variant)(ImageSpec(**state["spec"]), run.recipe)
    average = averaged(gan)
    average.load_state_dict(state["average"])
    trained: GAN = average.module
    return trained.eval(), state


def run_from(state: checkpoint.State) -> Run:
    """The run that a checkpoint belongs to."""
    fields: dict[str, Any] = dict(state["run"])
    recipe = type(variants.find(fields["variant"]).recipe)
    return Run(**fields | {"recipe": recipe(**fields["recipe"])})


def _parameters(player: Player) -> list[nn.Parameter]:
    return [parameter for network in player.networks for parameter in network.parameters()]


def _key(player: Player) -> tuple[int, ...]:
    return tuple(id(network) for network in player.networks)


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect SIGTERM and SIGINT instead of dying in the middle of a step."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
