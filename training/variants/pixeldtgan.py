"""PixelDTGAN."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training.data.dataset import Batch, BatchSource, Dataset, ImageSpec, Terms
from training.families.translation import TranslationGAN, TranslationRecipe
from training.gan import Recipe, Servable
from training.networks import layers
from training.scoring import EvaluationCase


@dataclass(frozen=True)
class TransferRecipe(TranslationRecipe):
    """Adds the weight of the domain discriminator."""

    domain_weight: float = 0.5  # of its half of the converter's loss; 0: the control, which only has to look real


class PixelDTGAN(TranslationGAN):
    """Pixel-Level Domain Transfer (Yoo, Kim, Park, Paek and Kweon 2016).

    https://arxiv.org/abs/1603.07442
    """

    paper = Paper(
        title="Pixel-Level Domain Transfer",
        authors="Donggeun Yoo, Namil Kim, Sunggyun Park, Anthony S. Paek, In So Kweon",
        year=2016,
        url="https://arxiv.org/abs/1603.07442",
    )
    differences = (
        "Drawn characters and 168 garments in place of photos of people and of 75,016 goods; narrower networks; the "
        "converter maximises log D instead of minimising log(1 - D); an exponential average of the weights."
    )
    recipe = TransferRecipe(
        dataset="lpc_garments", steps=8_000, batch_size=16, image_size=64, final_learning_rate=0.1,
        view="dressed", target="garment",
    )  # fmt: skip
    multiple = 4
    width = 16
    code_size = 100  # numbers between encoder and decoder

    settings: TransferRecipe

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        shape = spec.size, self.width
        self.generator = nn.Sequential(  # the paper's converter
            layers.dcgan_features(spec.channels, *shape),
            layers.dcgan_head(*shape, self.code_size),
            layers.dcgan_generator(self.code_size, spec.channels, *shape),
        )
        self.discriminator = nn.ModuleDict(
            {
                "real": layers.dcgan_discriminator(spec.channels, *shape),
                "domain": layers.dcgan_discriminator(2 * spec.channels, *shape),
            }
        )

    def source(self, dataset: Dataset) -> BatchSource:
        return dataset  # a garment is always in the same place

    def association(self, dressed: Tensor, garments: Tensor) -> Tensor:
        """D_A: logits (N, 1) that a character wears the garment, from images (N, C, S, S) of both."""
        logits: Tensor = self.discriminator["domain"](torch.cat([dressed, garments], dim=1))
        return logits

    def discriminator_loss(self, batch: Batch) -> Terms:
        dressed, garments, made = self.condition(batch), batch["image"], self.fake(batch)
        real, fake = self.discriminator["real"](garments), self.discriminator["real"](made)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)} | self._domain(dressed, garments, made)

    def _domain(self, dressed: Tensor, garments: Tensor, made: Tensor) -> Terms:
        """Three kinds of pairs: with the own garment, with that of another character, and with what is made."""
        own, other, converted = (
            self.association(dressed, each) for each in (garments, garments.roll(1, dims=0), made)
        )
        self.diagnostics["D_A(own)"], self.diagnostics["D_A(other)"] = (
            each.detach().float().sigmoid().mean() for each in (own, other)
        )
        terms = F.softplus(-own.float()), F.softplus(other.float()), F.softplus(converted.float())
        return {"domain": torch.stack(terms).mean()}

    def generator_loss(self, batch: Batch) -> Terms:
        made, weight = self.fake(batch), self.settings.domain_weight
        return {
            "adversarial": (1 - weight) * self.adversarial.generator(self.discriminator["real"](made)),
            "domain": weight * self.adversarial.generator(self.association(self.condition(batch), made)),
        }

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        return self.paired_case(dataset, "label_accuracy", "fcd", "psnr", "ssim", "retrieval", "sharpness")

    def servables(self) -> dict[str, Servable]:
        view, target = self.settings.view, self.settings.target
        return {
            "": Servable(
                self.generator,
                inputs=(self.input_kind(view),),
                outputs=(self.output_kind(target),),
                task="image-to-image",
                description="Draws what a character wears on its torso, alone on white.",
            )
        }
