"""The training loop of all variants; it knows only players and stages."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.optim.swa_utils import AveragedModel

from training import distributed
from training.data.dataset import Batch, BatchSource, Terms
from training.gan import Game, Player, Stage
from training.loop import checkpoint, devices
from training.loop.cuda_graphs import Replayed, Turn

DIAGNOSTICS_SHARE = 0.01  # of one step in the running means of the diagnostics


class Trainer:
    """One training, from its first step or a checkpoint to its last step."""

    def __init__(
        self, game: Game, dataset: BatchSource, *, seed: int, precision: str = "auto", device: str = "auto"
    ) -> None:
        self.device = devices.find_device(device)
        self.precision = devices.find_precision(precision, self.device)
        self.recipe, self.dataset, self.seed = game.settings, dataset, seed
        distributed.start(self.device)
        self.game = _with_channels_last(game.to(self.device))
        distributed.broadcast(self.game)
        self.average = averaged(self.game)
        self.game.before_training()
        if self.replays:  # a turn that is replayed often is worth a try of every kernel
            torch.backends.cudnn.benchmark = True
        self.optimizers: dict[tuple[int, ...], torch.optim.Optimizer] = {}  # by the networks they move
        self.stages = self.game.stages()
        self.turns: dict[str, Turn] = {}  # of the current stage's players
        self.entered = 0  # how many stages have started
        self.step = 0
        self.images_seen = 0  # by all processes
        self.seconds = 0.0
        self.processor_seconds = 0.0  # of all threads; other work on the machine does not increase it
        self.diagnostics: Terms = {}  # running means of the game's
        torch.manual_seed(seed)

    def restore(self, state: checkpoint.State) -> None:
        """Continue from a saved state."""
        self.step, self.seconds = state["step"], state["seconds"]
        self.images_seen = state.get("images_seen", self.step * self.recipe.batch_size)  # not in older checkpoints
        self.processor_seconds = state["processor_seconds"]
        self.diagnostics = state["observed"]
        while self.entered < state["entered"]:
            self._enter_next_stage()
        self.game.load_state_dict(state["game"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers.values(), state["optimizers"], strict=True):
            # Keep the options for the device of this run.
            optimizer.load_state_dict(saved | {"param_groups": optimizer.state_dict()["param_groups"]})
        checkpoint.restore_random_state(state["random"])

    def state(self) -> checkpoint.State:
        """Return everything that `restore` needs."""
        return {
            "step": self.step,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "processor_seconds": self.processor_seconds,
            "observed": self.diagnostics,
            "entered": self.entered,
            "game": self.game.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers.values()],
            "random": checkpoint.random_state(),
        }

    def train(self) -> Iterator[Terms]:
        """Train to the last step; yield the terms of each step."""
        batches = self.dataset.batches(self.recipe.batch_size, self.seed, self.device, self.step)
        started = time.monotonic() - self.seconds
        processor_started = time.process_time() - self.processor_seconds
        for number, (first, last) in enumerate(self._spans()):
            while self.step < last:
                while self.entered <= number:  # a stage may be too short for a step
                    self._enter_next_stage()
                terms = self._step(self.stages[number], next(batches))
                self.step += 1
                self.images_seen += self.recipe.batch_size * distributed.world_size()
                self.game.after_step((self.step - first) / (last - first))
                self.average.update_parameters(self.game)
                self._average_diagnostics(self.game.diagnostics)
                self.seconds = time.monotonic() - started
                self.processor_seconds = time.process_time() - processor_started
                yield terms

    def has_begun(self, network: nn.Module) -> bool:
        """Return whether no weight of the network waits for a later stage to be trained."""
        begun, later = (
            {id(weight) for stage in stages for player in stage.players.values() for weight in _parameters(player)}
            for stages in (self.stages[: self.entered], self.stages[self.entered :])
        )
        return not any(id(weight) in later - begun for weight in network.parameters())

    def _average_diagnostics(self, diagnostics: Terms) -> None:
        for name, value in diagnostics.items():
            self.diagnostics[name] = torch.lerp(self.diagnostics.get(name, value), value, DIAGNOSTICS_SHARE)

    def _spans(self) -> list[tuple[int, int]]:
        """Return the first step of each stage, and the step after its last one."""
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
        self.turns = {name: self._turn(player) for name, player in stage.players.items()}
        self.average.n_averaged.zero_()  # networks that have waited for this stage are still random
        self.entered += 1

    def _turn(self, player: Player) -> Turn:
        turn = partial(self.update, player)
        return Replayed(turn) if self.replays else turn

    @property
    def replays(self) -> bool:
        """Whether turns are recorded once and then replayed, which needs a GPU."""
        return self.device.type == "cuda" and self.game.repeats and distributed.world_size() == 1

    def _optimizer(self, player: Player) -> torch.optim.Optimizer:
        rate = player.learning_rate or self.recipe.learning_rate
        group = {"params": _parameters(player), "base_rate": rate}
        # A recorded turn reads the rate from this tensor at each replay.
        current = torch.tensor(rate, device=self.device) if self.replays else rate
        if self.recipe.optimizer == "rmsprop":
            return torch.optim.RMSprop([group], lr=current, foreach=True, capturable=self.replays)
        return torch.optim.Adam([group], lr=current, betas=self.recipe.betas, fused=True, capturable=self.replays)

    def _step(self, stage: Stage, batch: Batch) -> Terms:
        batch = {name: _channels_last(tensor) for name, tensor in batch.items()}
        minimised: Terms = {}
        for name, player in stage.players.items():
            if player.plays(self.step):
                self._set_rate(player)
                terms = self.turns[name](batch)
                minimised |= {f"{name}/{term}": value.detach() for term, value in terms.items()}
        return minimised

    def update(self, player: Player, batch: Batch) -> Terms:
        """Run one turn of one player, with every other network frozen."""
        parameters = _parameters(player)
        self.game.requires_grad_(False)
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimizer = self.optimizers[_key(player)]
        optimizer.zero_grad()
        half = torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")
        # A computed weight, such as a spectrally normalised one, is computed once in a turn.
        with half, parametrize.cached():
            terms = player.loss(batch)
            loss = torch.stack(list(terms.values())).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        distributed.average_gradients(parameters)
        optimizer.step()
        return terms

    def _set_rate(self, player: Player) -> None:
        decay = 1 - (1 - self.recipe.final_learning_rate) * self.step / self.recipe.steps
        for group in self.optimizers[_key(player)].param_groups:
            rate = group["base_rate"] * decay
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate


def averaged(game: Game) -> AveragedModel:
    """Return the exponential average of a game's weights and buffers, which is shipped."""

    def update(averages: Sequence[Tensor], values: Sequence[Tensor], _: Tensor | int) -> None:
        count = int(average.n_averaged)  # on the CPU; the argument may be on a busy GPU
        # A short memory at first, in each stage, which soon forgets the random initial weights.
        decay = min(game.settings.ema, (1 + count) / (10 + count))
        if averages[0].is_floating_point():  # all have the same type
            torch._foreach_lerp_(list(averages), list(values), 1 - decay)
        else:
            torch._foreach_copy_(list(averages), list(values))  # counters

    average = AveragedModel(game, multi_avg_fn=update, use_buffers=True)
    return average


def _with_channels_last(game: Game) -> Game:
    """Lay out the weights of 2-D convolutions with the channels last, which is faster.

    `Module.to` would do the same, but fails for the weights of 3-D convolutions, which gain nothing from it.
    """
    for tensor in (*game.parameters(), *game.buffers()):
        tensor.data = _channels_last(tensor.data)
    return game


def _channels_last(tensor: Tensor) -> Tensor:
    """Lay out images with the channels last, like the weights of the networks."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def _parameters(player: Player) -> list[nn.Parameter]:
    return [parameter for network in player.networks for parameter in network.parameters()]


def _key(player: Player) -> tuple[int, ...]:
    return tuple(id(network) for network in player.networks)
