"""CoGAN."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Latent
from training.data.dataset import Batch, DataSpec, Terms
from training.gan import GAN, Recipe, Servable
from training.networks import layers
from training.scoring import EvaluationContext


@dataclass(frozen=True)
class CoupledRecipe(Recipe):
    """Adds the choice to share layers between the two games."""

    coupled: bool = True  # False: the control, two GANs side by side


class CoGAN(GAN):
    """Coupled Generative Adversarial Networks (Liu and Tuzel 2016).

    https://arxiv.org/abs/1606.07536
    """

    paper = Paper(
        title="Coupled Generative Adversarial Networks",
        authors="Ming-Yu Liu, Oncel Tuzel",
        year=2016,
        url="https://arxiv.org/abs/1606.07536",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; the edges are a morphological gradient; the two domains share the "
        "training images over the epochs but never in one batch; an exponential average of the weights."
    )
    recipe = CoupledRecipe(dataset="mnist", steps=20_000, final_learning_rate=0.1)

    width = 32  # channels of the layers next to the image

    settings: CoupledRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = CoupledGenerator(self.latent_size, spec, self.width, coupled=self.settings.coupled)
        self.discriminator = CoupledDiscriminator(spec, self.width, coupled=self.settings.coupled)

    def discriminator_loss(self, batch: Batch) -> Terms:
        images, others = batch["image"].chunk(2)  # no image is in one batch with its own edges
        real = self.discriminator(images, edges(others))
        fake = self.discriminator(*self.generator(self.latent(batch)))
        self.record_diagnostics(torch.cat(real), torch.cat(fake))
        return {
            "images": self.adversarial.discriminator(real[0], fake[0]),
            "edges": self.adversarial.discriminator(real[1], fake[1]),
        }

    def generator_loss(self, batch: Batch) -> Terms:
        image, edge = self.discriminator(*self.generator(self.latent(batch)))
        return {"images": self.adversarial.generator(image), "edges": self.adversarial.generator(edge)}

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        _, outputs = context.generate()
        agreement = ((edges(outputs["image"]) > 0) == (outputs["edges"] > 0)).float().mean().item()
        return [
            Score(
                name="agreement",
                value=agreement,
                better="higher",
                description="share of pixels where the edges of the image and the edges drawn beside it are both light "
                "or both dark",
            )
        ]

    def servables(self) -> dict[str, Servable]:
        return {
            "": Servable(
                self.generator,
                inputs=(Latent(name="latent", size=self.latent_size),),
                outputs=(self.spec.image, replace(self.spec.image, name="edges")),
                task="unconditional",
                description="Draws one image and its edges, from noise; it never saw the two together.",
            )
        }


def edges(images: Tensor) -> Tensor:
    """Return the morphological gradient of images in [-1, 1], in the same range and of the same shape."""
    highest, lowest = F.max_pool2d(images, 3, 1, 1), -F.max_pool2d(-images, 3, 1, 1)
    return highest - lowest - 1


class CoupledGenerator(nn.Module):
    """Latent (N, Z) -> images and edges, (N, C, H, W) each; if coupled, the two share all layers except the last."""

    def __init__(self, latent_size: int, spec: DataSpec, width: int, *, coupled: bool) -> None:
        super().__init__()
        whole = [layers.dcgan_generator(latent_size, spec.channels, spec.size, width) for _ in range(2)]
        shared = len(whole[0]) - 2 if coupled else 0
        self.shared = whole[0][:shared]
        self.own = nn.ModuleList(network[shared:] for network in whole)  # the last layers of g_1 and g_2

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        shared = self.shared(latent)
        return self.own[0](shared), self.own[1](shared)


class CoupledDiscriminator(nn.Module):
    """Images and edges (N, C, H, W) -> logits (N, 1) of each; if coupled, the two share all layers except the first."""

    def __init__(self, spec: DataSpec, width: int, *, coupled: bool) -> None:
        super().__init__()
        whole = [layers.dcgan_discriminator(spec.channels, spec.size, width) for _ in range(2)]
        own = 2 if coupled else len(whole[0])
        self.own = nn.ModuleList(network[:own] for network in whole)  # the first layers of f_1 and f_2
        self.shared = whole[0][own:]

    def forward(self, image: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        return self.shared(self.own[0](image)), self.shared(self.own[1](edge))
