"""CycleGAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training import losses
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms
from training.families.translation import TwoWayGAN, TwoWayRecipe, jittered
from training.gan import Recipe
from training.networks import translation


@dataclass(frozen=True)
class CycleRecipe(TwoWayRecipe):
    """Adds the weight of the identity loss: a generator should not change images of its own output's kind."""

    identity_weight: float = 5.0  # 0.5 lambda


class CycleGAN(TwoWayGAN):
    """Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu, Park et al. 2017).

    https://arxiv.org/abs/1703.10593
    """

    paper = Paper(
        title="Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        authors="Jun-Yan Zhu, Taesung Park, Phillip Isola, Alexei A. Efros",
        year=2017,
        url="https://arxiv.org/abs/1703.10593",
    )
    differences = (
        "A quarter of the channels, for 64x64 images, moved by a sixteenth at most instead of enlarged and "
        "cut; patches of 34x34 pixels; an exponential average of the weights. "
        "The true pairs are for scoring only: in training, an image is seen beside its partner by chance alone. It "
        "changes colour and texture well, and geometry badly."
    )
    recipe = CycleRecipe(
        dataset="emoji_styles", steps=10_000, batch_size=8, image_size=64, final_learning_rate=0.05,
        view="noto", target="emojitwo",
    )  # fmt: skip
    adversarial = losses.least_squares
    adversarial_weight = 2.0  # the paper's (D(G(x)) - 1)^2 is not halved
    width, blocks, multiple = 16, 6, 4
    pool_size = 50

    settings: CycleRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        ways = ("forth", "back")  # G: X -> Y, F: Y -> X
        self.generator = nn.ModuleDict(
            {way: translation.residual_translator(spec.channels, self.width, self.blocks) for way in ways}
        )
        self.discriminator = nn.ModuleDict(
            {way: translation.PatchDiscriminator(spec.channels, width=32) for way in ways}  # D_Y, D_X
        )
        self.pools = nn.ModuleDict(
            {way: translation.ImagePool(self.pool_size, spec.channels, spec.size) for way in ways}
        )

    def source(self, dataset: Dataset) -> BatchSource:
        return jittered(super().source(dataset), dataset)

    def discriminator_inputs(self, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        return {way: self.pools[way].exchange(images) for way, images in fakes.items()}  # type: ignore[operator]

    def generator_loss(self, batch: Batch) -> Terms:
        inputs, weight = self.real_inputs(batch), self.settings.identity_weight
        own = {"forth": inputs["back"], "back": inputs["forth"]}  # |G(y) - y|_1, |F(x) - x|_1
        return super().generator_loss(batch) | {
            f"identity {way}": weight * F.l1_loss(self.generator[way](images).float(), images.float())
            for way, images in own.items()
        }
