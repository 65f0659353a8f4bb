"""StyleGAN."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gan_serve.metadata import Paper, Score
from gan_serve.sampling import slerp
from gan_serve.tensors import Latent, Scalar
from training import distributed
from training.data.dataset import Batch, DataSpec, Tensors, Terms
from training.families.convolutional import ConvolutionalRecipe
from training.gan import GAN, Player, Recipe, Servable, Stage
from training.networks import layers, progressive, stylegan
from training.scoring import EvaluationContext

# The paper's groups of layers; those between the two bounds are its middle ones.
COARSE = 4  # layers below this one control 4x4 and 8x8 pixels
FINE = 6  # layers from this one on control 32x32 pixels
STEP = 1e-3  # of the path whose length is measured


@dataclass(frozen=True)
class StyleRecipe(ConvolutionalRecipe):
    """Adds the values that depend on the data: the gradient penalty's weight and the mapping's learning rate."""

    r1_weight: float = 2.0  # gamma
    mapping_rate: float = 0.01  # relative to the other layers; with a higher rate, styles collapse into a few clusters


class StyleGAN(GAN):
    """A Style-Based Generator Architecture for Generative Adversarial Networks (Karras, Laine and Aila 2019).

    https://arxiv.org/abs/1812.04948
    """

    paper = Paper(
        title="A Style-Based Generator Architecture for Generative Adversarial Networks",
        authors="Tero Karras, Samuli Laine, Timo Aila",
        year=2019,
        url="https://arxiv.org/abs/1812.04948",
    )
    differences = (
        "As in StyleGAN2, demodulation takes AdaIN's place, each resolution adds to the image, networks are trained at "
        "full size from the start, and R1 is at every 16th step. A mapping of four layers; no blur between the "
        "resolutions; narrow networks for 32x32 images."
    )
    recipe = StyleRecipe(
        dataset="nouns", steps=12_000, learning_rate=2e-3, betas=(0.0, 0.99), batch_size=64, image_size=32, width=48,
        final_learning_rate=0.1,
    )  # fmt: skip
    latent_size = 128
    mixing_share = 0.9  # of the training images mix two styles
    penalty_every = 16  # steps of D
    style_memory = 0.995  # decay of the average style per turn; a step has two turns, of D and of G

    settings: StyleRecipe
    generator: stylegan.StyleGenerator

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        base, doublings = layers.base_size(spec.size)
        width = self.settings.width
        self.generator = stylegan.StyleGenerator(
            self.latent_size,
            spec.channels,
            base,
            progressive.widths(width, doublings, most=2),
            self.settings.mapping_rate,
        )
        self.discriminator = progressive.discriminator(
            spec.channels, base, progressive.widths(width, doublings, most=4)
        )

    def fake(self, batch: Batch) -> Tensor:
        style, other = self.generator.mapping(self.latent(batch)), self.generator.mapping(self.latent(batch))
        self._update_average_style(style)
        depth = self.generator.depth
        crossover = 1 + (self.uniform(batch) * (depth - 1)).floor()
        mixed = self.uniform(batch) < self.mixing_share
        layered = stylegan.mix(style, other, torch.where(mixed, crossover, depth), depth)
        real = batch["image"]
        noise = distributed.own_share(torch.randn, len(real), self.generator.noise_size, like=real)
        images: Tensor = self.generator.synthesis(layered, noise)
        return images

    @torch.no_grad()
    def _update_average_style(self, style: Tensor) -> None:
        if self.training:
            self.generator.average_style.lerp_(style.float().mean(dim=0), 1 - self.style_memory)

    def penalty(self, batch: Batch) -> Terms:
        """R1: gamma / 2 |dD/dx|^2 at real images, scaled up since it is not computed at every step."""
        norms = self.gradient_norms(batch["image"])
        return {"r1": self.penalty_every * self.settings.r1_weight / 2 * norms.square().mean()}

    def stages(self) -> list[Stage]:
        (stage,) = super().stages()
        penalty = Player([self.discriminator], self.penalty, every=self.penalty_every)
        return [Stage({**stage.players, "penalty": penalty})]

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        def seen(**inputs: object) -> Tensor:
            return torch.from_numpy(context.predict(context.generate(**inputs)[1]["image"]).probabilities).argmax(dim=1)

        whole, still, other = seen(), seen(noise_strength=0), seen(crossover=0)
        other_fine, own_coarse = seen(crossover=FINE), seen(crossover=COARSE)
        return [
            _share("other_noise", whole == still, "higher", "the noise is another"),
            _share("other_fine_styles", whole == other_fine, "higher", "the styles at 32x32 are another image's"),
            _share("other_coarse_styles", other == own_coarse, "lower", "those at 4x4 and 8x8 are another image's"),
            *_path_lengths(context),
        ]

    def servables(self) -> dict[str, Servable]:
        depth = self.generator.depth
        size = self.latent_size
        return {
            "": Servable(
                self.generator,
                inputs=(
                    Latent(name="latent", size=size),
                    Latent(
                        name="second_latent", size=size, selected_by="crossover",
                        description="The style from the crossover on.",
                    ),
                    Scalar(
                        name="crossover", low=0, high=depth, default=depth,
                        description=f"The first layer of the second style; {depth}: no second style, 0: no first one.",
                    ),
                    Scalar(
                        name="truncation", low=0, high=1, default=1,
                        description="Less gives more typical and less varied images; 0 gives the average one.",
                    ),
                    Latent(name="noise", size=self.generator.noise_size, description="Details left to chance."),
                    Scalar(
                        name="noise_strength", low=0, high=1, default=1,
                        description="At 0 the noise is the same for all images, and only the style varies.",
                    ),
                ),
                outputs=(self.spec.image,),
                task="latent-code",
                description=f"Draws one {self.spec.size}x{self.spec.size} image from one style or a mixture of two.",
            )
        }  # fmt: skip


def _share(changed: str, same: Tensor, better: Literal["higher", "lower"], what: str) -> Score:
    description = f"share of images in which the classifier predicts the same class when {what}"
    return Score(name=f"same_with_{changed}", value=same.float().mean().item(), better=better, description=description)


def _path_lengths(context: EvaluationContext) -> list[Score]:
    """Measure how evenly images change along a path between styles, and along a path between latents.

    This is the paper's perceptual path length on the classifier's features, at the middle of the path. The exported
    model reaches other styles only towards the average style; two styles are sqrt(2) times as far apart, and the
    length is squared, hence the factor 2.
    """

    def length(features: Callable[[float], Tensor]) -> float:
        return ((features(0.5 + STEP) - features(0.5)) / STEP).square().sum(dim=1).mean().item()

    def between_latents(share: float) -> Tensor:
        def walk(inputs: Tensors) -> Tensors:
            return inputs | {"latent": _slerp(inputs["latent"], inputs["second_latent"], share)}

        return features(walk)

    def between_styles(share: float) -> Tensor:
        return features(None, truncation=share)

    def features(change: Callable[[Tensors], Tensors] | None, **inputs: float) -> Tensor:
        drawn = context.generate(change, noise_strength=0, **inputs)[1]["image"]
        return torch.from_numpy(context.predict(drawn).features)

    ways = {"latents": length(between_latents), "styles": 2 * length(between_styles)}
    what = "mean squared speed of the classifier's features at the middle of the path between two"
    return [
        Score(name=f"path_length_{name}", value=value, better="lower", description=f"{what} {name}")
        for name, value in ways.items()
    ]


def _slerp(start: Tensor, goal: Tensor, share: float) -> Tensor:
    """Return the latents (N, Z) at this share of the arc between two, row by row, as serving interpolates."""
    pairs = zip(start.double().numpy(), goal.double().numpy(), strict=True)
    return torch.from_numpy(np.stack([slerp(*pair, share) for pair in pairs])).to(start.dtype)
