"""BigGAN."""

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Scalar
from training import losses
from training.data.dataset import Batch, DataSpec, Terms
from training.families.attention import AttentiveGAN
from training.families.convolutional import ConvolutionalRecipe
from training.gan import Servable
from training.metrics import distribution
from training.networks import layers, residual
from training.scoring import EvaluationContext

TRUNCATIONS = (0.7, 0.5, 0.3)  # lower values give more precision and less recall


class BigGAN(AttentiveGAN):
    """Large Scale GAN Training for High Fidelity Natural Image Synthesis (Brock, Donahue and Simonyan 2019).

    https://arxiv.org/abs/1809.11096
    """

    paper = Paper(
        title="Large Scale GAN Training for High Fidelity Natural Image Synthesis",
        authors="Andrew Brock, Jeff Donahue, Karen Simonyan",
        year=2019,
        url="https://arxiv.org/abs/1809.11096",
    )
    differences = (
        "Narrow networks for small images, and small batches; truncation scales the latent, where the paper draws "
        "again what lies outside a threshold."
    )
    recipe = ConvolutionalRecipe(
        dataset="cifar10", steps=20_000, batch_size=64, betas=(0.0, 0.999), ema=0.9995, image_size=32, width=32
    )
    presets: ClassVar = {
        "clothes": replace(
            recipe, dataset="fashion_mnist", steps=10_000, final_learning_rate=0.1, ema=0.999, image_size=28
        )
    }
    discriminator_steps = 2
    latent_size = 120  # one chunk for the first layer and one for each block
    generator: "HierarchicalGenerator"
    orthogonality_weight = 1e-4  # beta

    def build_generator(self) -> nn.Module:
        return HierarchicalGenerator(self.latent_size, self.spec, self.settings.width)

    def build_discriminator(self) -> nn.Module:
        embedding = residual.orthogonal(nn.Embedding(len(self.spec.classes), self.settings.width))
        return residual.ProjectionDiscriminator(self.spec.channels, embedding)

    def fake(self, batch: Batch) -> Tensor:
        latent = self.latent(batch)
        images: Tensor = self.generator(latent, batch["label"], torch.ones(len(latent), device=latent.device))
        return images

    def generator_loss(self, batch: Batch) -> Terms:
        weights = [weight for name, weight in self.generator.named_parameters() if not name.startswith("embedding")]
        return super().generator_loss(batch) | {
            "orthogonality": self.orthogonality_weight * losses.orthogonality(weights)
        }

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        return [score for truncation in TRUNCATIONS for score in _truncated(context, truncation)]

    def servables(self) -> dict[str, Servable]:
        (servable,) = super().servables().values()
        truncation = Scalar(
            name="truncation", low=0, high=1, default=1,
            description="Less gives more typical and less varied images; 0 gives one image per class.",
        )  # fmt: skip
        return {"": replace(servable, inputs=(*servable.inputs, truncation))}


def _truncated(context: EvaluationContext, truncation: float) -> list[Score]:
    _, outputs = context.generate(truncation=truncation)
    found = distribution.neighbourhoods(context.real.features, context.predict(outputs["image"]).features)
    return [
        Score(
            name=f"{name}_{truncation:g}",
            value=found[name],
            better="higher",
            description=f"at truncation {truncation:g}",
        )
        for name in ("precision", "recall")
    ]


class HierarchicalGenerator(nn.Module):
    """Latent (N, Z), label (N,) and truncation (N,) -> images (N, C, H, W) in [-1, 1].

    The first chunk of the latent enters the first layer; each block is conditioned on a further chunk and on the class
    embedding, which all blocks share.
    """

    def __init__(self, latent_size: int, spec: DataSpec, width: int, embedding: int = 64) -> None:
        super().__init__()
        base, doublings = layers.base_size(spec.size)
        self.chunks = doublings + 1
        self.embedding = residual.orthogonal(nn.Embedding(len(spec.classes), embedding))
        chunk = latent_size // self.chunks
        project = residual.linear(chunk, width * base * base)
        self.project = nn.Sequential(project, nn.Unflatten(1, (width, base, base)))
        self.blocks = nn.ModuleList(residual.BlockUp(width, width, embedding + chunk) for _ in range(doublings))
        self.attention = residual.SelfAttention(width)
        self.norm = nn.BatchNorm2d(width)
        self.to_image = residual.convolution(width, spec.channels)

    def forward(self, latent: Tensor, label: Tensor, truncation: Tensor) -> Tensor:
        first, *others = (latent * truncation[:, None]).chunk(self.chunks, dim=1)
        conditions = [torch.cat([self.embedding(label), chunk], dim=1) for chunk in others]
        maps = self.project(first)
        for block, condition in zip(self.blocks[:-1], conditions, strict=False):
            maps = block(maps, condition)
        maps = self.blocks[-1](self.attention(maps), conditions[-1])  # attention at half the image's size
        images: Tensor = self.to_image(F.relu(self.norm(maps))).tanh()
        return images
