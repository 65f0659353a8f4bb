"""Images per second of this project's training loop, compared with the plain float32 loop of tutorials.

Both use the same networks, batch and optimizer, and take turns in one run, so that other load affects both:

    python benchmarks/train_speed.py [--size 32] [--width 64] [--precision auto] [--rounds 5]
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import nn

from training import variants
from training.data.dataset import Dataset
from training.families.convolutional import ConvolutionalRecipe
from training.gan import GAN
from training.loop import devices
from training.loop.trainer import Trainer

IMAGES = 6_400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=32, help="pixels")
    parser.add_argument("--width", type=int, default=64, help="channels of the layers next to the image")
    parser.add_argument("--precision", default="auto", help="precision of this loop: auto, bf16 or fp32")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of each loop in each round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    dataset = _noise(arguments.size)
    precision = devices.find_precision(arguments.precision, devices.find_device("cpu"))
    variant = variants.find("dcgan")
    recipe = cast(ConvolutionalRecipe, variant.recipe)
    recipe = dataclasses.replace(recipe, steps=10**9, batch_size=arguments.batch_size, width=arguments.width)
    ours = _ours(variant(dataset.spec, recipe), dataset, precision)
    plain = _plain(variant(dataset.spec, recipe), dataset)
    for loop in (ours, plain):
        _speed(loop, arguments.batch_size, arguments.seconds)  # the first steps choose and compile kernels
    rounds = [
        tuple(_speed(loop, arguments.batch_size, arguments.seconds) for loop in (ours, plain))
        for _ in range(arguments.rounds)
    ]
    device = devices.find_device("cpu")
    mine, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    game = f"DCGAN {arguments.size}x{arguments.size} of width {arguments.width}, batch {arguments.batch_size}"
    print(f"{devices.describe(device)}, {game}")
    print(f"this loop ({precision}): {mine:,.0f} images/s")
    print(f"plain loop (fp32): {other:,.0f} images/s")
    print(f"ratio, median of {len(rounds)} rounds: {statistics.median(one / two for one, two in rounds):.2f}")


def _noise(size: int) -> Dataset:
    """Return a data set of noise; speed does not depend on the images."""
    images = torch.randint(256, (IMAGES, 1, size, size), dtype=torch.uint8)
    return Dataset("noise", images, torch.zeros(IMAGES, dtype=torch.long), ("noise",), "", "")


def _ours(gan: GAN, dataset: Dataset, precision: str) -> Iterator[object]:
    return Trainer(gan, dataset, seed=0, precision=precision, device="cpu").train()


def _plain(gan: GAN, dataset: Dataset) -> Iterator[object]:
    """Run the loop of tutorials: float32, NCHW, a data loader, gradients of both networks at every step."""
    recipe = gan.settings
    generator, discriminator, criterion = gan.generator, gan.discriminator, nn.BCEWithLogitsLoss()
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, betas=recipe.betas)
        for network in (discriminator, generator)
    ]
    images = torch.utils.data.TensorDataset(dataset.images.float().div(127.5).sub(1))
    loader = torch.utils.data.DataLoader(images, batch_size=recipe.batch_size, shuffle=True, drop_last=True)
    while True:
        for (real,) in loader:
            yield _plain_step(real, generator, discriminator, criterion, optimizers, gan.latent_size)


def _plain_step(
    real: torch.Tensor,
    generator: nn.Module,
    discriminator: nn.Module,
    criterion: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    optimizers: list[torch.optim.Optimizer],
    latent_size: int,
) -> tuple[float, float]:
    ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
    fake = generator(torch.randn(len(real), latent_size))
    discriminator.zero_grad()
    loss_real = criterion(discriminator(real), ones)
    loss_real.backward()
    loss_fake = criterion(discriminator(fake.detach()), zeros)
    loss_fake.backward()
    optimizers[0].step()
    generator.zero_grad()
    loss = criterion(discriminator(fake), ones)
    loss.backward()
    optimizers[1].step()
    return (loss_real + loss_fake).item(), loss.item()


def _speed(loop: Iterator[object], batch_size: int, seconds: float) -> float:
    began, steps = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        next(loop)
        steps += 1
    return steps * batch_size / passed


if __name__ == "__main__":
    main()
