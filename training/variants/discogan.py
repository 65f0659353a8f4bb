"""DiscoGAN."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training.data.dataset import Dataset, DataSpec
from training.families.translation import TwoWayGAN, TwoWayRecipe
from training.gan import Recipe
from training.networks import translation
from training.scoring import EvaluationCase


class DiscoGAN(TwoWayGAN):
    """Learning to Discover Cross-Domain Relations with Generative Adversarial Networks (Kim et al. 2017).

    https://arxiv.org/abs/1703.05192
    """

    paper = Paper(
        title="Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
        authors="Taeksoo Kim, Moonsu Cha, Hyunsoo Kim, Jung Kwon Lee, Jiwon Kim",
        year=2017,
        url="https://arxiv.org/abs/1703.05192",
    )
    differences = (
        "Networks of 20 to 80 channels; a generator is a U-Net, and what it draws is added to the image, because "
        "colours may be exchanged in any way that the way back undoes, and these begin with keeping them; the squared "
        "error of the way back counts 30 times, since most of an image is white; instance normalisation, so that an "
        "image is changed for itself; discriminators of patches of 70x70 pixels, which is all of the image; no weight "
        "decay; an exponential average of the weights. The true pairs are for scoring only: in training, an image is "
        "seen beside its partner by chance alone."
    )
    recipe = TwoWayRecipe(
        dataset="lpc", steps=8_000, batch_size=16, image_size=64, final_learning_rate=0.1,
        view="side", target="front", cycle_weight=30.0,
    )  # fmt: skip
    width = 20  # as pix2pix
    multiple = 4

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        ways = ("forth", "back")  # G_AB: A -> B, G_BA: B -> A
        self.generator = nn.ModuleDict({way: Redrawing(spec.channels, spec.size, self.width) for way in ways})
        self.discriminator = nn.ModuleDict(
            {way: translation.PatchDiscriminator(spec.channels, self.width, halvings=3) for way in ways}  # D_B, D_A
        )

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        """The true partner, by pixels and, where the judge knows such images, by what they show."""
        case = super().evaluation_case(part, dataset)
        judged = self.parts()[part].generator == "forth" and dataset.pairs and len(dataset.classes) > 1
        return replace(case, metrics=(*case.metrics, "feature_retrieval")) if judged else case

    def cycle_loss(self, returned: Tensor, inputs: Tensor) -> Tensor:
        """|G_BA(G_AB(x)) - x|^2."""
        return F.mse_loss(returned.float(), inputs.float())


class Redrawing(nn.Module):
    """Image (N, C, S, S) -> the same shape in [-1, 1]: a U-Net's output is added to the input."""

    def __init__(self, channels: int, size: int, width: int) -> None:
        super().__init__()
        self.drawing = translation.UNet(channels, channels, size, width, dropout=0)

    def forward(self, image: Tensor) -> Tensor:
        return torch.tanh(torch.atanh(0.9 * image) + self.drawing(image))  # an output of 0 keeps nearly the same image
