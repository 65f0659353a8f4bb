"""ProGAN."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from training import losses
from training.data.dataset import Batch, DataSpec, Terms
from training.families.convolutional import ConvolutionalRecipe
from training.gan import GAN, Recipe, Servable, Stage
from training.metrics import sliced_wasserstein
from training.networks import layers, progressive
from training.scoring import EvaluationContext

COMPARED = 1_000  # images whose patches are compared, at most


class ProGAN(GAN):
    """Progressive Growing of GANs for Improved Quality, Stability, and Variation (Karras, Aila, Laine, Lehtinen 2018).

    https://arxiv.org/abs/1710.10196
    """

    paper = Paper(
        title="Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        authors="Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen",
        year=2018,
        url="https://arxiv.org/abs/1710.10196",
    )
    differences = "Narrow networks for 32x32 images; batches of one size at every resolution."
    recipe = ConvolutionalRecipe(
        dataset="nouns", steps=35_000, learning_rate=1e-3, betas=(0.0, 0.99), batch_size=32, image_size=32, width=16
    )
    adversarial = losses.wasserstein
    latent_size = 128
    repeats = False  # the share of the resolution that fades in changes at every step
    settings: ConvolutionalRecipe
    generator: "GrowingGenerator"
    discriminator: progressive.GrowingDiscriminator
    penalty_weight = 10.0  # lambda
    drift_weight = 1e-3  # epsilon_drift

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        base, self.doublings = layers.base_size(spec.size)
        widths = progressive.widths(self.settings.width, self.doublings)
        self.generator = GrowingGenerator(self.latent_size, spec.channels, base, widths)
        self.discriminator = progressive.GrowingDiscriminator(spec.channels, base, widths)

    def discriminator_loss(self, batch: Batch) -> Terms:
        images, fakes = self._at_present_size(batch["image"]), self.fake(batch)
        real, fake = self.discriminator(images), self.discriminator(fakes)
        self.record_diagnostics(real, fake)
        between = losses.interpolate(images, fakes, self.uniform(batch, 1, 1, 1))
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            "gradient_penalty": self.penalty_weight * self.gradient_penalty(between),
            "drift": self.drift_weight * real.float().square().mean(),
        }

    def _at_present_size(self, images: Tensor) -> Tensor:
        """Reduce real images to the generated images' resolution, and blur them as a fade blurs those."""
        images = F.avg_pool2d(images, 2 ** (self.doublings - int(self.generator.level)))
        if self.generator.alpha == 1:
            return images
        return torch.lerp(layers.doubled(F.avg_pool2d(images, 2)), images, self.generator.alpha)

    def stages(self) -> list[Stage]:
        (stage,) = super().stages()
        fading = replace(stage, on_start=self._grow)
        return [stage, *(part for _ in range(self.doublings) for part in (fading, stage))]

    def _grow(self) -> None:
        self.generator.grow()
        self.discriminator.grow()

    def after_step(self, progress: float) -> None:
        self.generator.fade_in(progress)
        self.discriminator.fade_in(progress)

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        count = min(COMPARED, len(context.images) // 2)
        real = context.images[:count]
        drawn = sliced_wasserstein.sliced_wasserstein(real, context.generate()[1]["image"][:count])
        floor = sliced_wasserstein.sliced_wasserstein(real, context.images[count : 2 * count])
        return [
            Score(
                name=f"swd_{side}",
                value=distance,
                better="lower",
                description=f"sliced Wasserstein distance of the patches at {side}x{side} pixels, times 1,000",
                real=floor[side],
            )
            for side, distance in drawn.items()
        ]

    def servables(self) -> dict[str, Servable]:
        (servable,) = super().servables().values()
        return {"": replace(servable, network=AtFullSize(self.generator, self.doublings))}


class GrowingGenerator(progressive.Growing):
    """Latent (N, Z) -> images (N, C, H, W) of the present resolution."""

    def __init__(self, latent_size: int, channels: int, base: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.project = nn.Sequential(
            progressive.PixelNorm(), progressive.linear(latent_size, widths[0] * base * base, gain=math.sqrt(2) / 4),
            nn.Unflatten(1, (widths[0], base, base)), *_finish(),
            progressive.convolution(widths[0], widths[0]), *_finish(),
        )  # fmt: skip
        self.doublings = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2.0), progressive.convolution(coarse, fine), *_finish(),
                progressive.convolution(fine, fine), *_finish(),
            )
            for coarse, fine in pairwise(widths)
        )  # fmt: skip
        self.to_image = nn.ModuleList(progressive.convolution(width, channels, 1, gain=1) for width in widths)

    def forward(self, latent: Tensor) -> Tensor:
        return self.at(latent, int(self.level), self.alpha)

    def at(self, latent: Tensor, level: int, alpha: float) -> Tensor:
        """Generate images at a resolution whose share is alpha; the rest comes from the resolution below."""
        maps = self.project(latent)
        for doubling in self.doublings[: max(0, level - 1)]:
            maps = doubling(maps)
        if level == 0:
            return self.to_image[0](maps)  # type: ignore[no-any-return]
        fine: Tensor = self.to_image[level](self.doublings[level - 1](maps))
        return fine if alpha == 1 else torch.lerp(layers.doubled(self.to_image[level - 1](maps)), fine, alpha)


def _finish() -> list[nn.Module]:
    return [progressive.leaky(), progressive.PixelNorm()]


class AtFullSize(nn.Module):
    """Latent (N, Z) -> images (N, C, H, W) in [-1, 1] of the data's size, enlarged while the generator still grows."""

    def __init__(self, generator: GrowingGenerator, doublings: int) -> None:
        super().__init__()
        self.generator, self.level, self.alpha = generator, int(generator.level), generator.alpha
        self.enlarge = nn.Upsample(scale_factor=float(2 ** (doublings - self.level)))

    def forward(self, latent: Tensor) -> Tensor:
        images: Tensor = self.enlarge(self.generator.at(latent, self.level, self.alpha)).clamp(-1, 1)
        return images
