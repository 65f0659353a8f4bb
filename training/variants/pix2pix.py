"""pix2pix."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training.data.dataset import Batch, Dataset, DataSpec, Terms
from training.families.translation import TranslationGAN, TranslationRecipe
from training.gan import Recipe, Servable
from training.networks import translation
from training.scoring import EvaluationCase


@dataclass(frozen=True)
class PairedRecipe(TranslationRecipe):
    """Adds the weights of the two losses."""

    l1_weight: float = 100.0  # lambda
    adversarial_weight: float = 1.0  # 0: the control, which learns from L1 alone


class Pix2Pix(TranslationGAN):
    """Image-to-Image Translation with Conditional Adversarial Networks (Isola, Zhu, Zhou and Efros 2017).

    https://arxiv.org/abs/1611.07004
    """

    paper = Paper(
        title="Image-to-Image Translation with Conditional Adversarial Networks",
        authors="Phillip Isola, Jun-Yan Zhu, Tinghui Zhou, Alexei A. Efros",
        year=2017,
        url="https://arxiv.org/abs/1611.07004",
    )
    differences = (
        "Networks of at most 80 channels for 64x64 images, halved to 2x2; patches of 34x34 pixels, half the image "
        "where the paper has a quarter; instance normalisation, which is what batch normalisation is in the paper's "
        "batches of one; dropout in training only, so that a drawing always gets the same colours; images moved by a "
        "sixteenth at most instead of enlarged and cut; an exponential "
        "average of the weights."
    )
    recipe = PairedRecipe(
        dataset="emoji_lines", steps=32_000, batch_size=8, image_size=64, final_learning_rate=0.1,
        view="line", target="colour",
    )  # fmt: skip
    width = 20  # keeps the file below 4 MB; a multiple of four, so that results do not depend on the number of threads
    multiple = 4

    settings: PairedRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = nn.Sequential(translation.UNet(spec.channels, spec.channels, spec.size, self.width), nn.Tanh())
        self.discriminator = translation.PatchDiscriminator(2 * spec.channels, width=32)

    def discriminator_loss(self, batch: Batch) -> Terms:
        condition = self.condition(batch)
        real, fake = self.discriminator(batch["image"], condition), self.discriminator(self.fake(batch), condition)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake) / 2}  # D learns at half the rate of G

    def generator_loss(self, batch: Batch) -> Terms:
        fake = self.fake(batch)
        logits = self.discriminator(fake, self.condition(batch))
        return {
            "adversarial": self.settings.adversarial_weight * self.adversarial.generator(logits),
            "l1": self.settings.l1_weight * F.l1_loss(fake.float(), batch["image"].float()),
        }

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        judged = ("fcd", "label_accuracy") if len(dataset.classes) > 1 else ()
        return self.paired_case(dataset, *judged, "l1", "psnr", "ssim", "retrieval", "sharpness")

    def servables(self) -> dict[str, Servable]:
        settings = self.settings
        return {"": self.translator(f"Turns an image from {settings.view} into {settings.target}, learned from pairs.")}
