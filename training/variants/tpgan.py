"""TP-GAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, to_signed
from training.data.transforms import mirrored
from training.families.translation import TranslationGAN, TranslationRecipe
from training.gan import Player, Recipe, Servable, Stage
from training.metrics.traits import TraitReader
from training.networks import translation
from training.networks.pathways import Box, Pathways, Recogniser
from training.scoring import EvaluationCase, EvaluationContext

PARTS = {  # the boxes of the local paths
    "character": (Box(8, 16, 32, 32), Box(24, 24, 16, 16), Box(32, 16, 24, 32), Box(48, 16, 16, 32)),  # hair to feet
    "face": (Box(20, 16, 16, 16), Box(20, 32, 16, 16), Box(24, 24, 16, 16), Box(32, 24, 16, 16)),  # eyes, nose, mouth
}
KNOWN = 4_000  # fronts that traits are learned from, for the scores


@dataclass(frozen=True)
class FrontalRecipe(TranslationRecipe):
    """Adds what the image shows, and the weights of the losses."""

    shows: Literal["character", "face"] = "character"
    local: bool = True  # false: the control, one path of as many weights
    scale_weights: tuple[float, ...] = (1.0, 1.0, 1.5)  # of the difference at full, half and quarter size
    symmetry_weight: float = 0.3
    identity_weight: float = 0.02
    adversarial_weight: float = 5e-3
    variation_weight: float = 1e-4
    recognition_share: float = 0.05  # of the steps, in which the recogniser learns


class TPGAN(TranslationGAN):
    """Beyond Face Rotation: Global and Local Perception GAN for Photorealistic and Identity Preserving Frontal View
    Synthesis (Huang, Zhang, Li and He 2017).

    https://arxiv.org/abs/1704.04086
    """

    paper = Paper(
        title=(
            "Beyond Face Rotation: Global and Local Perception GAN for Photorealistic and Identity Preserving Frontal "
            "View Synthesis"
        ),
        authors="Rui Huang, Shu Zhang, Tianyu Li, Ran He",
        year=2017,
        url="https://arxiv.org/abs/1704.04086",
    )
    differences = (
        "Images of 64x64 pixels; U-Nets of 20 to 80 channels for the whole and of 8 to 32 for the parts, whose boxes "
        "are fixed, not found by landmarks; no noise at the bottleneck; instead of Light CNN, a small classifier "
        "that learns first, from the same fronts; no loss of the local paths alone and none of the bottleneck's "
        "classes; a discriminator of patches of 70x70 pixels; an exponential average of the weights."
    )
    recipe = FrontalRecipe(
        dataset="lpc", steps=4_500, batch_size=16, learning_rate=5e-4, discriminator_learning_rate=2e-4, image_size=64,
        final_learning_rate=0.05, view="side", target="front",
    )  # fmt: skip
    presets: ClassVar = {
        "faces": replace(recipe, dataset="cmu_faces", steps=1_200, shows="face", recognition_share=0.1)
    }
    multiple = 64
    width, part_width = 20, 8
    lone_width = 22  # of the control
    judging_width = 16  # of discriminator and recogniser

    settings: FrontalRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        boxes = PARTS[self.settings.shows] if self.settings.local else ()
        width = self.width if boxes else self.lone_width
        self.generator = Pathways(spec.channels, spec.size, width, boxes, self.part_width)
        self.discriminator = translation.PatchDiscriminator(spec.channels, self.judging_width, halvings=3)
        self.recogniser = Recogniser(spec.channels, spec.size, len(spec.classes), self.judging_width)

    def source(self, dataset: Dataset) -> BatchSource:
        return mirrored(dataset)  # not moved: the boxes stay where they are

    def stages(self) -> list[Stage]:
        """Train the recogniser first; afterwards nobody moves it."""
        share = self.settings.recognition_share
        learn = Player([self.recogniser], self.recognition_loss, learning_rate=1e-3)
        (game,) = super().stages()
        return [Stage({"recogniser": learn}, share), replace(game, share=1 - share)]

    def recognition_loss(self, batch: Batch) -> Terms:
        """Return the term that the recogniser minimises."""
        logits = self.recogniser.head(self.recogniser.features(batch["image"]))
        return {"label": F.cross_entropy(logits.float(), batch["label"])}

    def discriminator_loss(self, batch: Batch) -> Terms:
        real, fake = self.discriminator(batch["image"]), self.discriminator(self.fake(batch))
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        made, truth, settings = self.fake(batch).float(), batch["image"].float(), self.settings
        return {
            "pixels": scaled_difference(made, truth, settings.scale_weights),
            "symmetry": settings.symmetry_weight * asymmetry(made),
            "identity": settings.identity_weight * self._identity(made, truth),
            "adversarial": settings.adversarial_weight * self.adversarial.generator(self.discriminator(made)),
            "variation": settings.variation_weight * total_variation(made),
        }

    def _identity(self, made: Tensor, truth: Tensor) -> Tensor:
        """|F(G(x)) - F(y)|^2: how differently the recogniser sees the result and the true front."""
        features, true_features = (self.recogniser.features(images).float() for images in (made, truth))
        distances: Tensor = (features - true_features).square().sum(dim=1)
        return distances.mean()

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        case = self.paired_case(dataset, "psnr", "l1", "ssim", "retrieval", "feature_retrieval", "sharpness")
        mean = case.truth.mean(dim=0, keepdim=True).expand_as(case.truth)
        return replace(case, baselines={"input": case.inputs["image"], "average": mean})

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        side, truth = context.case.inputs["image"], context.case.truth
        (made,) = context.run(context.case.inputs).values()
        known = context.train.rows(slice(KNOWN))
        reader = TraitReader(_features(context, to_signed(known.images)), _traits(known))
        values = _traits(context.test)[: len(truth)]
        made_read, side_read, truth_read = (
            reader.accuracy(_features(context, images), values) for images in (made, side, truth)
        )
        return [
            Score(
                name="traits_read",
                value=made_read,
                better="higher",
                description=f"share of the traits that a reader of fronts finds; in the input it finds {side_read:.2%}",
                real=truth_read,
            ),
            Score(
                name="asymmetry",
                value=float(asymmetry(made)),
                better="lower",
                description="mean difference of the pixels from those of the mirrored image",
                real=float(asymmetry(truth)),
            ),
        ]

    def servables(self) -> dict[str, Servable]:
        return {
            "": self.translator(f"Draws the {self.settings.shows} from the front that an image shows from the side.")
        }


def _features(context: EvaluationContext, images: Tensor) -> Tensor:
    return torch.from_numpy(context.predict(images).features)


def _traits(dataset: Dataset) -> Tensor:
    """Return the traits (N, T) of a data set, or else its labels."""
    return dataset.traits.values if dataset.traits else dataset.labels[:, None]


def scaled_difference(made: Tensor, truth: Tensor, weights: Sequence[float]) -> Tensor:
    """The weighted L1 at full size, at half the size, and so on."""
    terms = []
    for weight in weights:
        terms.append(weight * F.l1_loss(made, truth))
        made, truth = (F.avg_pool2d(each, 2) for each in (made, truth))
    return torch.stack(terms).sum()


def asymmetry(images: Tensor) -> Tensor:
    """The mean |x - flip(x)| of images (N, C, H, W)."""
    return (images - images.flip(-1)).abs().mean()


def total_variation(images: Tensor) -> Tensor:
    """The sum of the differences between neighbouring pixels, averaged over the images (N, C, H, W)."""
    across, down = images.diff(dim=3).abs(), images.diff(dim=2).abs()
    return (across.sum() + down.sum()) / len(images)
