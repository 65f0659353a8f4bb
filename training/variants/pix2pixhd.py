"""pix2pixHD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.metadata import Paper
from gan_serve.tensors import Image
from training import losses
from training.data.dataset import Batch, Dataset, DataSpec, Terms
from training.data.palettes import CAMVID
from training.families.translation import TranslationGAN, TranslationRecipe
from training.gan import Player, Recipe, Servable, Stage
from training.networks import pix2pixhd, translation
from training.scoring import EvaluationCase


@dataclass(frozen=True)
class FineRecipe(TranslationRecipe):
    """Adds the weight of the feature matching loss: the discriminators' features of real and generated photos."""

    matching_weight: float = 10.0  # lambda; 0: the control


class Pix2PixHD(TranslationGAN):
    """High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs (Wang et al. 2018).

    https://arxiv.org/abs/1711.11585
    """

    paper = Paper(
        title="High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs",
        authors="Ting-Chun Wang, Ming-Yu Liu, Jun-Yan Zhu, Andrew Tao, Jan Kautz, Bryan Catanzaro",
        year=2018,
        url="https://arxiv.org/abs/1711.11585",
    )
    differences = (
        "Narrow networks for 128x128 images: a global generator at 64x64 and one enhancer; the boundary map is that "
        "between classes, because the data has no instances; no features of instances, and no perceptual loss of VGG; "
        "images moved by a sixteenth at most instead of enlarged and cut; "
        "patches of 34x34 pixels at each of three scales; an exponential average of the weights."
    )
    recipe = FineRecipe(
        dataset="camvid", steps=6_000, batch_size=8, image_size=128, final_learning_rate=0.05,
        view="map", target="photo",
    )  # fmt: skip
    adversarial = losses.least_squares
    multiple = 16  # reflected edges need two pixels at an eighth of the size
    blocks = 4  # of G1; G2 has one fewer
    global_share = 0.3  # of the steps, for the global generator alone

    settings: FineRecipe
    generator: pix2pixhd.CoarseToFine

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        if spec.channels != 3:
            raise UsageError(
                "label maps are painted in the colours of training/data/palettes.py; give images in colour"
            )
        self.encoder = pix2pixhd.LabelMapEncoder()
        self.generator = pix2pixhd.CoarseToFine(self.encoder.planes, spec.channels, blocks=self.blocks)
        self.discriminator = translation.MultiScaleDiscriminator(self.encoder.planes + spec.channels, width=24)
        self.is_coarse = False

    def fake(self, batch: Batch) -> Tensor:
        planes = self.encoder(self.condition(batch))
        return self.generator.coarse(planes) if self.is_coarse else self.generator(planes)

    def features(self, images: Tensor, batch: Batch) -> list[list[Tensor]]:
        """Return each discriminator's features of the images, its logits last.

        In the coarse stage the images are half as large as the batch's.
        """
        planes = self.encoder(self.condition(batch))
        features: list[list[Tensor]] = self.discriminator(
            images, pix2pixhd.pooled(planes) if self.is_coarse else planes
        )
        return features

    def real(self, batch: Batch) -> Tensor:
        """Return the photos, at half the size in the coarse stage."""
        return pix2pixhd.pooled(batch["image"]) if self.is_coarse else batch["image"]

    def discriminator_loss(self, batch: Batch) -> Terms:
        real = [scale[-1] for scale in self.features(self.real(batch), batch)]
        fake = [scale[-1] for scale in self.features(self.fake(batch), batch)]
        self.record_diagnostics(*(torch.cat([logits.flatten() for logits in each]) for each in (real, fake)))
        each = [self.adversarial.discriminator(*logits) for logits in zip(real, fake, strict=True)]
        return {"adversarial": torch.stack(each).sum()}

    def generator_loss(self, batch: Batch) -> Terms:
        fake, real = self.features(self.fake(batch), batch), self.features(self.real(batch), batch)
        adversarial = torch.stack([self.adversarial.generator(scale[-1]) for scale in fake]).sum()
        matched = torch.stack([matching(one, other) for one, other in zip(fake, real, strict=True)]).sum()
        return {
            "adversarial": 2 * adversarial,  # the paper's (D(G(s)) - 1)^2 is not halved
            "matching": self.settings.matching_weight * matched,
        }

    def stages(self) -> list[Stage]:
        (whole,) = super().stages()
        coarse = Player([self.generator.painter], self.generator_loss)
        players = {"discriminator": whole.players["discriminator"], "generator": coarse}
        return [
            Stage(players, self.global_share, on_start=lambda: self._set_coarse(coarse=True)),
            replace(whole, share=1 - self.global_share, on_start=lambda: self._set_coarse(coarse=False)),
        ]

    def _set_coarse(self, *, coarse: bool) -> None:
        self.is_coarse = coarse

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        return self.paired_case(dataset, "pixel_accuracy", "mean_iou", "l1", "psnr", "ssim", "sharpness")

    def servables(self) -> dict[str, Servable]:
        label_map = Image(name="image", channels=3, height=None, width=None, multiple=self.multiple)
        colours = ", ".join(f"{name} {colour}" for name, colour in CAMVID.colours.items())
        return {
            "": Servable(
                nn.Sequential(self.encoder, self.generator),
                inputs=(replace(label_map, description=f"A map painted in the colours of its classes: {colours}."),),
                outputs=(Image(name=self.settings.target, channels=3, height=None, width=None, like="image"),),
                task="image-to-image",
                description="For research, not for commercial use: paints a street photo for a map of its classes.",
            )
        }


def matching(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Return the L1 distance between the features of fake and real images, over all blocks except the last."""
    each = [F.l1_loss(one.float(), other.float()) for one, other in zip(fake[:-1], real[:-1], strict=True)]
    return torch.stack(each).sum()
