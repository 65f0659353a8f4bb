"""PixelDTGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from gan_serve.tensors import ScoreOutput
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, to_signed
from training.families.translation import TranslationGAN, TranslationRecipe
from training.gan import Recipe, Servable
from training.metrics.distribution import modes, smallest_class_share
from training.networks import layers
from training.scoring import EvaluationCase, EvaluationContext

FIGURES = ("label_accuracy", "psnr", "ssim", "retrieval", "sharpness")


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
        "Drawn characters and 168 garments instead of photos of people and of products; narrower networks; the "
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
    discriminator: nn.ModuleDict

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
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
        """Three kinds of pairs: with the own garment, with another character's, and with the converter's."""
        own, other, converted = (self.association(dressed, each) for each in (garments, garments.roll(1, dims=0), made))
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

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase | None:
        if part:  # the domain discriminator draws nothing
            return None
        return self.paired_case(dataset, *FIGURES)

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        return _association_scores(context) if context.part else _garment_scores(context)

    def servables(self) -> dict[str, Servable]:
        view, target = self.settings.view, self.settings.target
        dressed, garment = self.input_kind(view), self.output_kind(target)
        belongs = ScoreOutput(name="association", low=0, high=1, description="How likely the character wears it.")
        return {
            "": Servable(
                self.generator,
                inputs=(dressed,),
                outputs=(garment,),
                task="image-to-image",
                description="Draws what a character wears on its torso, alone on white.",
            ),
            "domain": Servable(
                Association(self.discriminator["domain"]),
                inputs=(
                    replace(self.input_kind(target), description="A garment, alone on white."),
                    replace(dressed, name=view, description="A dressed character."),
                ),
                outputs=(belongs,),
                task="classification",
                description="Tells how likely a character wears a garment: the domain discriminator.",
            ),
        }


class Association(nn.Module):
    """Images of a garment and of a character (N, C, S, S) -> D_A (N,)."""

    def __init__(self, domain: nn.Module) -> None:
        super().__init__()
        self.domain = domain

    def forward(self, garments: Tensor, dressed: Tensor) -> Tensor:
        probability: Tensor = self.domain(torch.cat([dressed, garments], dim=1)).sigmoid().flatten()
        return probability


def _garment_scores(context: EvaluationContext) -> list[Score]:
    case = context.case
    (made,) = context.run(case.inputs).values()
    mean = case.truth.mean(dim=0, keepdim=True)
    drawn, real = (context.predict(images).probabilities for images in (made, case.truth))
    kinds, real_kinds = (modes(each.argmax(axis=1)) for each in (drawn, real))
    return [
        Score(
            name="rmse",
            value=_rmse(made, case.truth),
            better="lower",
            description=f"root mean squared error, from 0 to 1; the mean garment has {_rmse(mean, case.truth):.4f}",
        ),
        Score(
            name="smallest_class_share",
            value=smallest_class_share(drawn),
            better="higher",
            description="share of the garment that is drawn least often",
            real=smallest_class_share(real),
        ),
        Score(
            name="garments_drawn",
            value=kinds,
            better="higher",
            description="different garments that are drawn",
            real=real_kinds,
        ),
    ]


def _rmse(images: Tensor, truth: Tensor) -> float:
    return float((images - truth).square().mean().sqrt() / 2)  # a pixel is from -1 to 1


def _association_scores(context: EvaluationContext) -> list[Score]:
    ((view, dressed),) = context.test.views.items()
    garments = to_signed(context.test.images)
    own, other = (
        context.run({"image": each, view: to_signed(dressed)})["association"]
        for each in (garments, garments.roll(1, dims=0))
    )
    truth = [1] * len(own) + [0] * len(other)
    return [
        Score(
            name="auroc",
            value=float(roc_auc_score(truth, torch.cat([own, other]))),
            better="higher",
            description="chance that a character's own garment is rated above that of another",
        )
    ]
