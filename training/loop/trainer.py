"""The one training loop. It knows players and stages, and no variant."""

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

OBSERVED_SHARE = 0.01  # of one step in the running mean of what is observed


class Trainer:
    """One training, from its first step or from a checkpoint, to its last step."""

    def __init__(
        self, game: Game, dataset: BatchSource, *, seed: int, precision: str = "auto", device: str = "auto"
    ) -> None:
        self.device = devices.find_device(device)
        self.precision = devices.find_precision(precision, self.device)
        self.recipe, self.dataset, self.seed = game.settings, dataset, seed
        distributed.start(self.device)
        self.game = game.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as documented
        distributed.broadcast(self.game)
        self.average = averaged(self.game)
        self.game.before_training()
        if self.replays:  # what is replayed so often is worth trying every kernel once
            torch.backends.cudnn.benchmark = True
        self.optimizers: dict[tuple[int, ...], torch.optim.Optimizer] = {}  # by the networks they move
        self.stages = self.game.stages()
        self.turns: dict[str, Turn] = {}  # of the present stage's players
        self.entered = 0  # how many stages have begun
        self.step = 0
        self.images_seen = 0  # by all processes
        self.seconds = 0.0
        self.processor_seconds = 0.0  # of all threads, which other work on the machine does not make more
        self.diagnostics: Terms = {}  # running means of what the game observes
        torch.manual_seed(seed)

    def restore(self, state: checkpoint.State) -> None:
        """Stand where `state` was saved."""
        self.step, self.seconds = state["step"], state["seconds"]
        self.images_seen = state.get("images_seen", self.step * self.recipe.batch_size)  # not in older checkpoints
        self.processor_seconds = state["processor_seconds"]
        self.diagnostics = state["observed"]
        while self.entered < state["entered"]:
            self._enter_next_stage()
        self.game.load_state_dict(state["game"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers.values(), state["optimizers"], strict=True):
            # Its options are those of the device that it is on now.
            optimizer.load_state_dict(saved | {"param_groups": optimizer.state_dict()["param_groups"]})
        checkpoint.restore_random_state(state["random"])

    def state(self) -> checkpoint.State:
        """All that `restore` needs."""
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
        """Play to the last step; after each one, yield what was minimised in it."""
        batches = self.dataset.batches(self.recipe.batch_size, self.seed, self.device, self.step)
        began, work_began = time.monotonic() - self.seconds, time.process_time() - self.processor_seconds
        for number, (first, last) in enumerate(self._spans()):
            while self.step < last:
                while self.entered <= number:  # a stage may be too short for a step
                    self._enter_next_stage()
                terms = self._play(self.stages[number], next(batches))
                self.step += 1
                self.images_seen += self.recipe.batch_size * distributed.world_size()
                self.game.after_step((self.step - first) / (last - first))
                self.average.update_parameters(self.game)
                self._remember(self.game.diagnostics)
                self.seconds, self.processor_seconds = time.monotonic() - began, time.process_time() - work_began
                yield terms

    def _remember(self, observed: Terms) -> None:
        for name, value in observed.items():
            self.diagnostics[name] = torch.lerp(self.diagnostics.get(name, value), value, OBSERVED_SHARE)

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
        self.turns = {name: self._turn(player) for name, player in stage.players.items()}
        self.entered += 1

    def _turn(self, player: Player) -> Turn:
        turn = partial(self.update, player)
        return Replayed(turn) if self.replays else turn

    @property
    def replays(self) -> bool:
        """Whether turns are recorded once and then replayed, which only a GPU can."""
        return self.device.type == "cuda" and self.game.repeats and distributed.world_size() == 1

    def _optimizer(self, player: Player) -> torch.optim.Optimizer:
        rate = player.learning_rate or self.recipe.learning_rate
        group = {"params": _parameters(player), "base_rate": rate}
        # What is recorded reads the rate at each replay.
        present = torch.tensor(rate, device=self.device) if self.replays else rate
        if self.recipe.optimizer == "rmsprop":
            return torch.optim.RMSprop([group], lr=present, foreach=True, capturable=self.replays)
        return torch.optim.Adam([group], lr=present, betas=self.recipe.betas, fused=True, capturable=self.replays)

    def _play(self, stage: Stage, batch: Batch) -> Terms:
        batch = {name: _laid_out(tensor) for name, tensor in batch.items()}
        played: Terms = {}
        for name, player in stage.players.items():
            if player.plays(self.step):
                self._set_rate(player)
                terms = self.turns[name](batch)
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
        half = torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")
        # A weight that is computed, such as a spectrally normalised one, is computed once in a turn.
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
    """The exponential average of a game's weights and buffers, which is what gets shipped."""

    def update(averages: Sequence[Tensor], values: Sequence[Tensor], _: Tensor | int) -> None:
        count = int(average.n_averaged)  # on the CPU, where the argument may be on a GPU that is still at work
        # A short memory at first, so that the random weights of the start are soon forgotten.
        decay = min(game.settings.ema, (1 + count) / (10 + count))
        if averages[0].is_floating_point():  # all are of one kind
            torch._foreach_lerp_(list(averages), list(values), 1 - decay)
        else:
            torch._foreach_copy_(list(averages), list(values))  # counters

    average = AveragedModel(game, multi_avg_fn=update, use_buffers=True)
    return average


def _laid_out(tensor: Tensor) -> Tensor:
    """Images with the channels last, as the networks have their weights."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def _parameters(player: Player) -> list[nn.Parameter]:
    return [parameter for network in player.networks for parameter in network.parameters()]


def _key(player: Player) -> tuple[int, ...]:
    return tuple(id(network) for network in player.networks)
