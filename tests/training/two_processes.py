"""Run under torchrun, or alone: train a small game and write its losses and its weights, a file per process."""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from training import distributed
from training.data import loading
from training.data.dataset import ImageSpec
from training.gan import GAN, Recipe
from training.loop.trainer import Trainer


class Plain(GAN):
    """No batch normalisation, whose statistics would see the share of one process only."""

    def __init__(self, spec: ImageSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        pixels = spec.size**2
        self.generator = nn.Sequential(
            nn.Linear(self.latent_size, pixels), nn.Tanh(), nn.Unflatten(1, (1, spec.size, spec.size))
        )
        self.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 32), nn.ReLU(), nn.Linear(32, 1))


def main(data: str, batch_size: int, folder: Path) -> None:
    dataset = loading.load(data)
    torch.manual_seed(distributed.rank())  # so that only the broadcast can make the weights equal
    recipe = Recipe(dataset="digits", steps=20, batch_size=batch_size, augment="color,translation,cutout")
    trainer = Trainer(Plain(dataset.spec, recipe), dataset, seed=5, precision="fp32", device="cpu")
    losses = [sum(term.item() for term in terms.values()) for terms in trainer.train()]
    weights = torch.cat([tensor.flatten() for tensor in trainer.game.parameters()])
    result = json.dumps({"losses": losses, "weights": weights.tolist()})
    (folder / f"{distributed.rank()}.json").write_text(result)
    distributed.wait()
    distributed.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
