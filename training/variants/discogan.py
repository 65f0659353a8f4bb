"""DiscoGAN."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training import translators
from training.gan import ImageSpec, Recipe
from training.layers import init_dcgan
from training.translation import TwoWayGAN, TwoWayRecipe


class DiscoGAN(TwoWayGAN):
    """Learning to Discover Cross-Domain Relations with Generative Adversarial Networks (Kim et al. 2017).

    https://arxiv.org/abs/1703.05192

    Differs: narrow networks; instance normalisation; a discriminator of patches.
    """

    paper = Paper(
        title="Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
        authors="Taeksoo Kim, Moonsu Cha, Hyunsoo Kim, Jung Kwon Lee, Jiwon Kim",
        year=2017,
        url="https://arxiv.org/abs/1703.05192",
    )
    differences = (
        "Networks of 24 to 192 channels; instance normalisation, so that an image is changed for itself; "
        "discriminators of patches of 70x70 pixels, which is all of the image; no weight decay; an exponential average "
        "of the weights. The true pairs are for scoring only: in training, no image is seen beside its partner."
    )
    recipe = TwoWayRecipe(
        dataset="lpc", steps=11_000, batch_size=16, image_size=64, final_learning_rate=0.1,
        view="side", target="front", cycle_weight=1.0,
    )  # fmt: skip
    width = 24  # the file stays below 4 MB
    multiple = 16

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        ways = ("forth", "back")
        self.generator = nn.ModuleDict({way: self._translator(spec.channels) for way in ways})
        self.discriminator = nn.ModuleDict(
            {way: translators.PatchDiscriminator(spec.channels, self.width, halvings=3) for way in ways}
        )

    def _translator(self, channels: int) -> nn.Module:
        """Halved four times and doubled again, with no skips, for nothing stays where it was."""
        widths = [self.width * 2**level for level in range(4)]
        network = nn.Sequential(translators.encoder(channels, widths), translators.decoder(channels, widths))
        return network.apply(init_dcgan)

    def cycle_loss(self, returned: Tensor, given: Tensor) -> Tensor:
        return F.mse_loss(returned.float(), given.float())
