"""Train a small game in two processes and in one, and write the losses and the weights of each process.

The processes have the variables that torchrun gives them. They are forks, so that PyTorch is imported once.
"""

import json
import os
import socket
import sys
from pathlib import Path

import torch
import torch._dynamo  # which every optimizer imports
from torch import nn

from training import distributed
from training.data import loading
from training.data.dataset import DataSpec
from training.gan import GAN, Recipe
from training.loop.trainer import Trainer


class Plain(GAN):
    """No batch normalisation, whose statistics would see the share of one process only."""

    def __init__(self, spec: DataSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        pixels = spec.size**2
        self.generator = nn.Sequential(
            nn.Linear(self.latent_size, pixels), nn.Tanh(), nn.Unflatten(1, (1, spec.size, spec.size))
        )
        self.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 32), nn.ReLU(), nn.Linear(32, 1))


def train(data: str, batch_size: int, path: Path) -> None:
    dataset = loading.load(data)
    torch.manual_seed(distributed.rank())  # so that only the broadcast can make the weights equal
    recipe = Recipe(dataset="digits", steps=20, batch_size=batch_size, augment="color,translation,cutout")
    trainer = Trainer(Plain(dataset.spec, recipe), dataset, seed=5, precision="fp32", device="cpu")
    losses = [sum(term.item() for term in terms.values()) for terms in trainer.train()]
    weights = torch.cat([tensor.flatten() for tensor in trainer.game.parameters()])
    result = json.dumps({"losses": losses, "weights": weights.tolist()})
    path.write_text(result)
    distributed.wait()
    distributed.stop()


def fork(data: str, batch_size: int, path: Path, **variables: str) -> int:
    """Train in a process of its own, with these environment variables; its number."""
    process = os.fork()
    if process == 0:
        os.environ.update(variables)
        train(data, batch_size, path)
        sys.exit()
    return process


def main(data: str, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [fork(data, 16, folder / f"{rank}.json", RANK=str(rank), **group) for rank in range(2)]
    processes.append(fork(data, 32, folder / "alone.json"))
    failed = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    sys.exit(max(map(abs, failed)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
