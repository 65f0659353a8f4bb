"""The training loop with games that are no variant."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from training.data.dataset import Batch, Terms
from training.gan import Game, Player, Recipe, Stage
from training.loop.trainer import Trainer


class Blocks:
    """Endless batches of solids (N, 1, 4, 4, 4)."""

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        while True:
            yield {"image": torch.ones(batch_size, 1, 4, 4, 4, device=device)}


class Resting(Game):
    """Two players of convolutions; the second plays only while the first one's bias is small."""

    def __init__(self, steps: int) -> None:
        super().__init__(Recipe("blocks", steps, batch_size=2, learning_rate=0.1))
        self.first, self.second = nn.Conv3d(1, 1, 3), nn.Conv2d(1, 1, 3)
        self.register_buffer("turns", torch.zeros(2))

    def stages(self) -> list[Stage]:
        first = Player([self.first], lambda batch: self.turn(0, self.first(batch["image"])))
        second = Player(
            [self.second],
            lambda batch: self.turn(1, self.second(batch["image"].flatten(2, 3))),
            when=lambda: self.turns[0] < 3,
        )
        return [Stage({"first": first, "second": second})]

    def turn(self, player: int, output: torch.Tensor) -> Terms:
        self.turns[player] += 1
        return {"error": F.mse_loss(output, torch.zeros_like(output))}


def test_a_player_rests_while_its_condition_fails() -> None:
    game = Resting(steps=5)
    before = game.second.weight.detach().clone()
    terms = list(Trainer(game, Blocks(), seed=0, precision="fp32").train())
    assert game.turns.tolist() == [5, 2], "the first plays before the second asks"
    assert ["second/error" in each for each in terms] == [True, True, False, False, False]
    assert not torch.equal(before, game.second.weight)


class Prepared(Resting):
    """The second network plays in a later stage than the first."""

    def stages(self) -> list[Stage]:
        (stage,) = super().stages()
        return [Stage({name: player}) for name, player in stage.players.items()]


def test_a_network_that_waits_for_its_stage_has_not_begun() -> None:
    trainer = Trainer(Prepared(steps=4), Blocks(), seed=0, precision="fp32")
    both = nn.ModuleList([trainer.game.first, trainer.game.second, nn.Linear(2, 2)])
    begun = [(trainer.has_begun(trainer.game.first), trainer.has_begun(both)) for _ in trainer.train()]
    assert begun == [(True, False), (True, False), (True, True), (True, True)]


def test_networks_of_solids_and_of_images_train_together() -> None:
    trainer = Trainer(Resting(steps=20), Blocks(), seed=0, precision="fp32")
    errors = [terms["first/error"].item() for terms in trainer.train()]
    assert errors[-1] < errors[0] / 2
