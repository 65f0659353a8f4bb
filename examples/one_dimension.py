"""The smallest GAN: turn uniform noise into a normal distribution, and draw the progress.

    python examples/one_dimension.py [--steps 3000] [--output one_dimension.png]

Each panel shows the generated distribution (bars), the real one (line) and the discriminator's output D(x) (dashed). At
the end the dashed line is flat at one half: D cannot distinguish the two.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from training.data.dataset import Batch, DataSpec
from training.loop.trainer import Trainer
from training.variants.gan import VanillaGAN

MEAN, DEVIATION = 4.0, 1.25
PANELS = 6


class Normal:
    """Endless batches of numbers, each an image of one pixel (N, 1, 1, 1)."""

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        random = torch.Generator(device).manual_seed(seed)
        while True:
            yield {"image": torch.randn(batch_size, 1, 1, 1, generator=random, device=device) * DEVIATION + MEAN}


class OneDimension(VanillaGAN):
    """The original GAN, with uniform noise and networks for single numbers."""

    latent_size = 1

    def __init__(self, steps: int) -> None:
        recipe = replace(
            VanillaGAN.recipe, steps=steps, batch_size=256, learning_rate=5e-4, discriminator_learning_rate=2e-3
        )
        super().__init__(DataSpec.of_images(channels=1, size=1, classes=()), recipe)
        self.generator = nn.Sequential(*_dense(), nn.Unflatten(1, (1, 1, 1)))
        self.discriminator = nn.Sequential(nn.Flatten(), *_dense())

    def latent(self, batch: Batch) -> Tensor:
        return self.uniform(batch, 1) * 2 - 1


def _dense() -> list[nn.Module]:
    """Return the layers of a network from one number to one number."""
    return [nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)]


@torch.no_grad()
def draw(axes: Axes, game: OneDimension, step: int) -> Tensor:
    """Draw one panel, and return the generated numbers."""
    x = torch.linspace(-2, 10, 241)
    fake: Tensor = game.generator(torch.linspace(-1, 1, 10_000)[:, None]).flatten()
    density = torch.exp(-((x - MEAN) / DEVIATION).square() / 2) / (DEVIATION * math.sqrt(2 * math.pi))
    axes.hist(fake.tolist(), bins=60, range=(-2, 10), density=True, color="tab:blue", alpha=0.5, label="G(z)")
    axes.plot(x, density, color="black", label="real")
    axes.plot(x, game.discriminator(x.view(-1, 1, 1, 1)).sigmoid(), "--", color="tab:red", label="D(x)")
    axes.set(title=f"step {step}: {fake.mean():.2f} ± {fake.std():.2f}", ylim=(0, 1.05))
    return fake


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--output", type=Path, default=Path("one_dimension.png"))
    arguments = parser.parse_args()
    mpl.use("agg")  # draws into a file, without a window
    torch.manual_seed(0)
    game = OneDimension(arguments.steps)
    trainer = Trainer(game, Normal(), seed=0, precision="fp32", device="cpu")
    figure, panels = plt.subplots(1, PANELS, figsize=(4 * PANELS, 3.5), sharey=True, layout="constrained")
    fake = draw(panels[0], game, 0)
    panel_at = {round(arguments.steps * number / (PANELS - 1)): number for number in range(1, PANELS)}
    for _ in trainer.train():
        if trainer.step in panel_at:
            fake = draw(panels[panel_at[trainer.step]], game, trainer.step)
    panels[0].legend()
    figure.savefig(arguments.output)
    print(f"{arguments.output}: {fake.mean():.2f} ± {fake.std():.2f}, real {MEAN:.2f} ± {DEVIATION:.2f}")


if __name__ == "__main__":
    main()
