"""The one training loop. It knows players and stages, and no variant."""

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training import checkpoint, distributed, hardware
from training.gan import Batch, Game, Player, Source, Stage, Terms

OBSERVED_SHARE = 0.01  # of one step in the running mean of what is observed


class Trainer:
    """One training, from its first step or from a checkpoint, to its last step."""

    def __init__(
        self, game: Game, dataset: Source, *, seed: int, precision: str = "auto", device: str = "auto"
    ) -> None:
        self.device = hardware.find_device(device)
        self.precision = hardware.find_precision(precision, self.device)
        self.recipe, self.dataset, self.seed = game.settings, dataset, seed
        distributed.start(self.device)
        self.game = game.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as documented
        distributed.broadcast(self.game)
        self.average = averaged(self.game)
        self.game.before_training()
        self.optimizers: dict[tuple[int, ...], torch.optim.Optimizer] = {}  # by the networks they move
        self.stages = self.game.stages()
        self.entered = 0  # how many stages have begun
        self.step = 0
        self.seconds = 0.0
        self.processor_seconds = 0.0  # of all threads, which other work on the machine does not make more
        self.observed: Terms = {}  # running means of what the game observes
        torch.manual_seed(seed)

    def restore(self, state: checkpoint.State) -> None:
        """Stand where `state` was saved."""
        self.step, self.seconds = state["step"], state["seconds"]
        self.processor_seconds = state["processor_seconds"]
        self.observed = state["observed"]
        while self.entered < state["entered"]:
            self._enter_next_stage()
        self.game.load_state_dict(state["game"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers.values(), state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        checkpoint.restore_random_state(state["random"])

    def state(self) -> checkpoint.State:
        """All that `restore` needs."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "processor_seconds": self.processor_seconds,
            "observed": self.observed,
            "entered": self.entered,
            "game": self.game.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers.values()],
            "random": checkpoint.random_state(),
        }

    def train(self) -> Iterator[Terms]:
        """Play to the last step; after each one, yield what was minimised in it."""
        batches = self.dataset.batches(self.recipe.batch_size, self.seed, self.device, self.step)
        began, work_began = time.monotonic() - self.seconds, time.process_time() - self.processor_seconds
        for number, (first, last) in enumerate(self._spans()):
            while self.step < last:
                while self.entered <= number:  # a stage may be too short for a step
                    self._enter_next_stage()
                terms = self._play(self.stages[number], next(batches))
                self.step += 1
                self.game.after_step((self.step - first) / (last - first))
                self.average.update_parameters(self.game)
                self._remember(self.game.observed)
                self.seconds, self.processor_seconds = time.monotonic() - began, time.process_time() - work_began
                yield terms

    def _remember(self, observed: Terms) -> None:
        for name, value in observed.items():
            self.observed[name] = torch.lerp(self.observed.get(name, value), value, OBSERVED_SHARE)

    def _spans(self) -> list[tuple[int, int]]:
        """The first step and the one after the last step of each stage."""
        whole = sum(stage.share for stage in self.stages)
        ends, passed = [0], 0.0
        for stage in self.stages:
            passed += stage.share
            ends.append(round(self.recipe.steps * passed / whole))
        return list(pairwise(ends))

    def _enter_next_stage(self) -> None:
        stage = self.stages[self.entered]
        stage.on_start()
        for player in stage.players.values():
            if _key(player) not in self.optimizers:
                self.optimizers[_key(player)] = self._optimizer(player)
        self.entered += 1

    def _optimizer(self, player: Player) -> torch.optim.Optimizer:
        rate = player.learning_rate or self.recipe.learning_rate
        group = {"params": _parameters(player), "base_rate": rate}
        if self.recipe.optimizer == "rmsprop":
            return torch.optim.RMSprop([group], lr=rate, foreach=True)
        return torch.optim.Adam([group], lr=rate, betas=self.recipe.betas, fused=True)

    def _play(self, stage: Stage, batch: Batch) -> Terms:
        batch = {name: _laid_out(tensor) for name, tensor in batch.items()}
        played: Terms = {}
        for name, player in stage.players.items():
            if player.plays(self.step):
                terms = self.update(player, batch)
                played |= {f"{name}/{term}": value.detach() for term, value in terms.items()}
        return played

    def update(self, player: Player, batch: Batch) -> Terms:
        """One turn of one player: every other network is frozen."""
        parameters = _parameters(player)
        self.game.requires_grad_(False)
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimizer = self.optimizers[_key(player)]
        optimizer.zero_grad()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            terms = player.loss(batch)
            loss = torch.stack(list(terms.values())).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        distributed.average_gradients(parameters)
        for group in optimizer.param_groups:
            group["lr"] = group["base_rate"] * self._decay()
        optimizer.step()
        return terms

    def _decay(self) -> float:
        return 1 - (1 - self.recipe.final_learning_rate) * self.step / self.recipe.steps


def averaged(game: Game) -> AveragedModel:
    """The exponential average of a game's weights and buffers, which is what gets shipped."""

    def update(averages: Sequence[Tensor], values: Sequence[Tensor], count: Tensor | int) -> None:
        # A short memory at first, so that the random weights of the start are soon forgotten.
        decay = min(game.settings.ema, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average.dtype), 1 - decay)
            else:
                average.copy_(value)  # counters

    return AveragedModel(game, multi_avg_fn=update, use_buffers=True)


def _laid_out(tensor: Tensor) -> Tensor:
    """Images with the channels last, as the networks have their weights."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def _parameters(player: Player) -> list[nn.Parameter]:
    return [parameter for network in player.networks for parameter in network.parameters()]


def _key(player: Player) -> tuple[int, ...]:
    return tuple(id(network) for network in player.networks)
