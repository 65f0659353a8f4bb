"""StyleGAN."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Latent, Scalar
from training import distributed, growing, layers
from training.gan import GAN, Batch, ConvolutionalRecipe, Evidence, ImageSpec, Player, Recipe, Servable, Stage, Terms

COARSE = 4  # the layers below it decide on 4x4 and 8x8 pixels


@dataclass(frozen=True)
class StyleRecipe(ConvolutionalRecipe):
    """Adds the weight of the penalty on the gradient at real images, which depends on the data."""

    r1_weight: float = 1.0  # gamma


class StyleGAN(GAN):
    """A Style-Based Generator Architecture for Generative Adversarial Networks (Karras, Laine and Aila 2019).

    https://arxiv.org/abs/1812.04948

    Differs: narrow networks for 32x32 images, trained at full size from the start; nearest neighbours, unblurred,
    between the resolutions.
    """

    paper = Paper(
        title="A Style-Based Generator Architecture for Generative Adversarial Networks",
        authors="Tero Karras, Samuli Laine, Timo Aila",
        year=2019,
        url="https://arxiv.org/abs/1812.04948",
    )
    differences = (
        "Narrow networks for 32x32 images, trained at full size from the start; a mapping of four "
        "layers; no blur between the resolutions."
    )
    recipe = StyleRecipe(
        dataset="nouns", steps=30_000, learning_rate=1e-3, betas=(0.0, 0.99), batch_size=32, image_size=32, width=16
    )
    latent_size = 128
    mixing_share = 0.9  # of the images, in training
    penalty_every = 16  # D's steps
    style_memory = 0.995  # of the average style, per step

    settings: StyleRecipe
    generator: "StyleGenerator"

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        base, doublings = layers.base_size(spec.size)
        widths = growing.widths(self.settings.width, doublings)
        self.generator = StyleGenerator(self.latent_size, spec.channels, base, widths)
        self.discriminator = growing.GrowingDiscriminator(spec.channels, base, widths, level=doublings)

    def fake(self, batch: Batch) -> Tensor:
        style, other = self.generator.mapping(self.latent(batch)), self.generator.mapping(self.latent(batch))
        self._remember(style)
        depth = self.generator.depth
        crossover = 1 + (self.uniform(batch) * (depth - 1)).floor()
        mixed = self.uniform(batch) < self.mixing_share
        styles = mix(style, other, torch.where(mixed, crossover, depth), depth)
        like = batch["image"]
        noise = distributed.own_share(torch.randn, len(like), self.generator.noise_size, like=like)
        images: Tensor = self.generator.synthesis(styles, noise)
        return images

    @torch.no_grad()
    def _remember(self, style: Tensor) -> None:
        if self.training:
            self.generator.average_style.lerp_(style.float().mean(dim=0), 1 - self.style_memory)

    def penalty(self, batch: Batch) -> Terms:
        """R1: gamma / 2 |dD/dx|^2 at real images, as large as if it were computed at every step."""
        norms = self.gradient_norms(batch["image"])
        return {"r1": self.penalty_every * self.settings.r1_weight / 2 * norms.square().mean()}

    def stages(self) -> list[Stage]:
        (stage,) = super().stages()
        penalty = Player([self.discriminator], self.penalty, every=self.penalty_every)
        return [Stage({**stage.players, "penalty": penalty})]

    @classmethod
    def own_scores(cls, evidence: Evidence) -> list[Score]:
        def seen(**inputs: object) -> Tensor:
            return torch.from_numpy(evidence.look(evidence.draw(**inputs)[1]["image"]).probabilities).argmax(dim=1)

        whole, still, mixed, other = seen(), seen(noise_strength=0), seen(crossover=COARSE), seen(crossover=0)
        return [
            _share("other_noise", whole == still, "higher", "the noise is another"),
            _share("other_fine_styles", whole == mixed, "higher", "the styles of the fine layers are another image's"),
            _share("other_coarse_styles", other == mixed, "lower", "those of the coarse layers are another image's"),
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
    description = f"share of images in which the judge sees the same when {what}"
    return Score(name=f"same_with_{changed}", value=same.float().mean().item(), better=better, description=description)


def mix(style: Tensor, other: Tensor, crossover: Tensor, depth: int) -> Tensor:
    """Two styles (N, W) -> one for each layer (N, depth, W): the second from the layer `crossover` (N,) on."""
    layer = torch.arange(depth, device=style.device)
    return torch.where((layer < crossover[:, None])[:, :, None], style[:, None], other[:, None])


class StyleGenerator(nn.Module):
    """Two latents (N, Z), crossover (N,), truncation (N,), noise (N, noise_size) and its strength (N,) -> images.

    Images are (N, C, H, W) in [-1, 1].
    """

    average_style: Tensor
    still_noise: Tensor

    def __init__(self, latent_size: int, channels: int, base: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.mapping = nn.Sequential(growing.PixelNorm())
        for _ in range(4):
            self.mapping.extend([growing.linear(latent_size, latent_size), growing.leaky()])
        self.constant = nn.Parameter(torch.ones(1, widths[0], base, base))
        sizes = [base * 2**level for level in range(len(widths))]
        self.noise_sizes = [size * size for size in sizes for _ in range(2)]
        self.depth, self.noise_size = len(self.noise_sizes), sum(self.noise_sizes)
        steps = [(widths[0], widths[0])] + [
            pair for coarse, fine in pairwise(widths) for pair in ((coarse, fine), (fine, fine))
        ]
        self.convolutions = nn.ModuleList(growing.convolution(before, after) for before, after in steps)
        outputs = [widths[0], *(after for _, after in steps)]
        self.styles = nn.ModuleList(AdaIN(latent_size, width) for width in outputs)
        self.noise_gains = nn.ParameterList(torch.zeros(1, width, 1, 1) for width in outputs)
        self.to_image = growing.convolution(widths[-1], channels, 1, gain=1)
        self.register_buffer("average_style", torch.zeros(latent_size))
        self.register_buffer("still_noise", torch.randn(1, self.noise_size))

    def forward(
        self,
        latent: Tensor,
        second_latent: Tensor,
        crossover: Tensor,
        truncation: Tensor,
        noise: Tensor,
        strength: Tensor,
    ) -> Tensor:
        styles = mix(self.mapping(latent), self.mapping(second_latent), crossover, self.depth)
        styles = self.average_style + truncation[:, None, None] * (styles - self.average_style)
        share = strength[:, None]  # the sum's variance is 1 at every share
        noise = share.sqrt() * noise + (1 - share).sqrt() * self.still_noise
        return self.synthesis(styles, noise).clamp(-1, 1)

    def synthesis(self, styles: Tensor, noise: Tensor) -> Tensor:
        """Styles (N, depth, W) and noise (N, noise_size) -> images (N, C, H, W), not clamped."""
        planes = torch.split(noise, self.noise_sizes, dim=1)
        maps = self.constant.expand(len(styles), -1, -1, -1)
        for layer, (adain, gain, plane) in enumerate(zip(self.styles, self.noise_gains, planes, strict=True)):
            if layer > 0:
                if layer % 2 == 0:
                    maps = layers.doubled(maps)
                maps = self.convolutions[layer - 1](maps)
            maps = F.leaky_relu(maps + gain * plane.view(-1, 1, *maps.shape[2:]), 0.2)
            maps = adain(maps, styles[:, layer])
        images: Tensor = self.to_image(maps)
        return images


class AdaIN(nn.Module):
    """Each map normalised by itself, then given a gain and a bias by the style (N, W)."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.affine = growing.linear(style, 2 * channels, gain=1)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        gain, bias = self.affine(style)[:, :, None, None].chunk(2, dim=1)
        styled: Tensor = (1 + gain) * self.norm(maps) + bias
        return styled
