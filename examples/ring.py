"""Mode collapse on a ring of eight Gaussians: which variants find all of them, drawn as they learn.

    python examples/ring.py [gan wgan_gp ...] [--steps 5000] [--output ring.png]

Every variant without labels can be named; all have the same small networks and as many generator steps.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from training import variants
from training.gan import GAN, Batch, ImageSpec
from training.train import Trainer

MODES, RADIUS, DEVIATION = 8, 2.0, 0.05
PANELS = 5
ANGLES = torch.arange(MODES) * (2 * math.pi / MODES)
CENTRES = RADIUS * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)


class Ring:
    """Endless batches of points, each an image of one pixel with two channels (N, 2, 1, 1)."""

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        random = torch.Generator().manual_seed(seed)
        while True:
            centres = CENTRES[torch.randint(MODES, (batch_size,), generator=random)]
            points = centres + DEVIATION * torch.randn(batch_size, 2, generator=random)
            yield {"image": points[:, :, None, None].to(device)}


def make_game(name: str, steps: int) -> GAN:
    """A variant with networks for points instead of images."""
    variant = variants.find(name)
    recipe = replace(variant.recipe, batch_size=256, learning_rate=1e-3, steps=steps * variant.discriminator_steps)
    game = variant(ImageSpec(channels=1, size=28, classes=()), recipe)
    game.generator = nn.Sequential(*_dense((game.latent_size, 128, 128, 2)), nn.Unflatten(1, (2, 1, 1)))
    game.discriminator = nn.Sequential(nn.Flatten(), *_dense((2, 128, 128, 1)))
    if name == "wgan_gp":
        game.penalty_weight = 0.1  # type: ignore[assignment]  # as its authors have it for such small distances
    return game


def _dense(widths: Sequence[int]) -> list[nn.Module]:
    hidden: list[nn.Module] = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.LeakyReLU(0.2))]
    return hidden[:-1]


@torch.no_grad()
def draw(axes: Axes, game: GAN, title: str) -> int:
    """One panel; returns how many modes the generator reaches."""
    points: Tensor = game.generator(torch.randn(2_000, game.latent_size)).flatten(1)
    found = count_modes(points)
    axes.scatter(CENTRES[:, 0], CENTRES[:, 1], s=200, facecolors="none", edgecolors="tab:red")
    axes.scatter(points[:, 0], points[:, 1], s=1, color="tab:blue")
    axes.set(title=f"{title}: {found} of {MODES}", xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[])
    return found


def count_modes(points: Tensor) -> int:
    """Modes with at least a tenth of their fair share of the points within three deviations."""
    close = (torch.cdist(points, CENTRES) < 3 * DEVIATION).float().mean(dim=0)
    return int((close > 0.1 / MODES).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", default=["gan", "wgan_gp"])
    parser.add_argument("--steps", type=int, default=5_000, help="of the generator")
    parser.add_argument("--output", type=Path, default=Path("ring.png"))
    arguments = parser.parse_args()
    mpl.use("agg")  # a file, no window
    names = arguments.variants
    figure, rows = plt.subplots(
        len(names), PANELS, figsize=(3 * PANELS, 3.2 * len(names)), squeeze=False, layout="constrained"
    )
    for name, row in zip(names, rows, strict=True):
        found = play(name, arguments.steps, row)
        print(f"{name}: {found} of {MODES} modes")
    figure.savefig(arguments.output)
    print(arguments.output)


def play(name: str, steps: int, panels: Sequence[Axes]) -> int:
    """Train one variant and draw it on its way; returns how many modes it reached."""
    torch.manual_seed(0)
    game = make_game(name, steps)
    trainer = Trainer(game, Ring(), seed=0, precision="fp32", device="cpu")
    shown = {round(game.settings.steps * (number + 1) / PANELS): panels[number] for number in range(PANELS)}
    found = 0
    for _ in trainer.train():
        if trainer.step in shown:
            title = f"{name}, step {trainer.step // game.discriminator_steps}"
            found = draw(shown[trainer.step], game, title)
    return found


if __name__ == "__main__":
    main()
