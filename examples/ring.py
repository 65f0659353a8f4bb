"""Mode collapse on a ring of eight Gaussians, or a grid of 25: draw which modes the variants find as they learn.

    python examples/ring.py [gan wgan_gp ...] [--grid] [--seeds 5] [--steps 5000] [--output ring.png]

Give the names of variants without labels. All have the same small networks and the same number of generator steps.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from training import variants
from training.data.dataset import Batch, DataSpec
from training.families.convolutional import PenalisedRecipe
from training.gan import GAN
from training.loop.trainer import Trainer

RADIUS, DEVIATION = 2.0, 0.05
PANELS = 5
ANGLES = torch.arange(8) * (math.pi / 4)
RING = RADIUS * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)
GRID = torch.cartesian_prod(*[torch.linspace(-RADIUS, RADIUS, 5)] * 2)
PENALTY_WEIGHT = 0.1  # the value of WGAN-GP's authors for such small distances


@dataclass(frozen=True)
class Mixture:
    """Endless batches of points around centres (M, 2), each an image of one pixel with two channels (N, 2, 1, 1)."""

    centres: Tensor

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        random = torch.Generator().manual_seed(seed)
        while True:
            chosen = torch.randint(len(self.centres), (batch_size,), generator=random)
            points = self.centres[chosen] + DEVIATION * torch.randn(batch_size, 2, generator=random)
            yield {"image": points[:, :, None, None].to(device)}


def make_game(name: str, steps: int) -> GAN:
    """Build a variant with networks for points instead of images."""
    variant = variants.find(name)
    recipe = replace(variant.recipe, batch_size=256, learning_rate=1e-3, steps=steps * variant.discriminator_steps)
    if isinstance(recipe, PenalisedRecipe):
        recipe = replace(recipe, penalty_weight=PENALTY_WEIGHT)
    game = variant(DataSpec.of_images(channels=1, size=28, classes=()), recipe)
    game.generator = nn.Sequential(*_dense((game.latent_size, 128, 128, 2)), nn.Unflatten(1, (2, 1, 1)))
    game.discriminator = nn.Sequential(nn.Flatten(), *_dense((2, 128, 128, 1)))
    return game


def _dense(widths: Sequence[int]) -> list[nn.Module]:
    hidden: list[nn.Module] = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.LeakyReLU(0.2))]
    return hidden[:-1]


def count_modes(points: Tensor, centres: Tensor) -> int:
    """Count the modes with at least a tenth of their fair share of the points within three deviations."""
    close = (torch.cdist(points, centres) < 3 * DEVIATION).float().mean(dim=0)
    return int((close > 0.1 / len(centres)).sum())


def draw(axes: Axes, points: Tensor, centres: Tensor, title: str) -> None:
    """Draw one panel."""
    axes.scatter(centres[:, 0], centres[:, 1], s=200, facecolors="none", edgecolors="tab:red")
    axes.scatter(points[:, 0], points[:, 1], s=1, color="tab:blue")
    axes.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", default=["gan", "wgan_gp"])
    parser.add_argument("--grid", action="store_true", help="25 Gaussians on a grid")
    parser.add_argument("--seeds", type=int, default=1, help="trainings per variant; only the first one is drawn")
    parser.add_argument("--steps", type=int, default=5_000, help="steps of the generator")
    parser.add_argument("--output", type=Path, default=Path("ring.png"))
    arguments = parser.parse_args()
    mpl.use("agg")  # draws into a file, without a window
    names, centres = arguments.variants, GRID if arguments.grid else RING
    figure, rows = plt.subplots(
        len(names), PANELS, figsize=(3 * PANELS, 3.2 * len(names)), squeeze=False, layout="constrained"
    )
    for name, row in zip(names, rows, strict=True):
        found = [
            train(name, centres, arguments.steps, seed, row if seed == 0 else ()) for seed in range(arguments.seeds)
        ]
        print(f"{name}: {', '.join(map(str, found))} of {len(centres)} modes", flush=True)
    figure.savefig(arguments.output)
    print(arguments.output)


def train(name: str, centres: Tensor, steps: int, seed: int, panels: Sequence[Axes]) -> int:
    """Train one variant, draw its progress, and return the number of modes that it finds."""
    torch.manual_seed(seed)
    game = make_game(name, steps)
    trainer = Trainer(game, Mixture(centres), seed=seed, precision="fp32", device="cpu")
    panel_at = {round(game.settings.steps * (number + 1) / PANELS): panel for number, panel in enumerate(panels)}
    for _ in trainer.train():
        if trainer.step in panel_at:
            points = sample(game)
            title = f"{name}, step {trainer.step // game.discriminator_steps}"
            draw(panel_at[trainer.step], points, centres, f"{title}: {count_modes(points, centres)} of {len(centres)}")
    return count_modes(sample(game), centres)


@torch.no_grad()
def sample(game: GAN) -> Tensor:
    """Generate points (N, 2), always from the same latents."""
    latents = torch.randn(2_000, game.latent_size, generator=torch.Generator().manual_seed(0))
    points: Tensor = game.generator(latents).flatten(1)
    return points


if __name__ == "__main__":
    main()
