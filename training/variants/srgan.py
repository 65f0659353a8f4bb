"""SRGAN."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from gan_serve.tensors import Image
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, to_signed
from training.data.resampling import reduced
from training.gan import GAN, Player, Recipe, Servable, Stage
from training.networks import layers, srgan
from training.scoring import EvaluationCase


@dataclass(frozen=True)
class SuperResolutionRecipe(Recipe):
    """Adds the crop size, the weights of the losses, and the choice of perceptual features."""

    crop: int = 96  # pixels
    adversarial_weight: float = 1e-3
    content_weight: float = 0.1  # of the squared difference of features, relative to their variance
    vgg: str | None = None  # a file of VGG-19's weights, whose features then replace those trained here


class SRGAN(GAN):
    """Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et al. 2017).

    https://arxiv.org/abs/1609.04802
    """

    paper = Paper(
        title="Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network",
        authors="Christian Ledig, Lucas Theis, Ferenc Huszar, Jose Caballero, Andrew Cunningham, Alejandro Acosta, "
        "Andrew Aitken, Alykhan Tejani, Johannes Totz, Zehan Wang, Wenzhe Shi",
        year=2017,
        url="https://arxiv.org/abs/1609.04802",
    )
    differences = (
        "Eight blocks of 32 channels where the paper has sixteen of 64; 199 training photos where it has 350,000. The "
        "perceptual features are those of a small network trained here, in the first stage, to recognise the photo "
        "that a crop comes from; the training's value `vgg` names a file where VGG-19's were used as in the paper. The "
        "two losses are weighed for those features. SRResNet is an exponential average of its own training."
    )
    recipe = SuperResolutionRecipe(
        dataset="bsds", steps=20_000, batch_size=16, learning_rate=5e-4, betas=(0.9, 0.999), image_size=160,
        final_learning_rate=0.1,
    )  # fmt: skip
    scale = 4
    width, blocks = 32, 8
    memory = 0.999  # of SRResNet's average, per step

    settings: SuperResolutionRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = srgan.SRResNet(spec.channels, self.width, self.blocks)
        self.srresnet = copy.deepcopy(self.generator)
        self.crop = min(self.settings.crop, spec.size) // self.scale * self.scale
        self.discriminator = srgan.discriminator(spec.channels, self.crop, width=16)
        self.features = srgan.PhotoFeatures(spec.channels, len(spec.classes))
        self.vgg: list[nn.Module] = []  # in a list, so that PyTorch neither saves nor averages it
        self.is_pretraining = False

    def before_training(self) -> None:
        super().before_training()
        if self.settings.vgg:
            device = next(self.parameters()).device
            self.vgg = [srgan.read_vgg(self.settings.vgg).to(device)]

    def source(self, dataset: Dataset) -> BatchSource:
        return dataset.crops(self.crop)

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(reduced(batch["image"], self.scale))
        return images

    def feature_loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of recognising the photo that a crop is from."""
        return {"photo": F.cross_entropy(self.features.logits(batch["image"]).float(), batch["label"])}

    def pixel_loss(self, batch: Batch) -> Terms:
        """Return the mean squared error |G(x_LR) - x_HR|^2, which SRResNet minimises."""
        return {"pixels": F.mse_loss(self.fake(batch).float(), batch["image"].float())}

    def generator_loss(self, batch: Batch) -> Terms:
        fake = self.fake(batch)
        settings = self.settings
        return {
            "content": settings.content_weight * self._content_loss(fake, batch["image"]),
            "adversarial": settings.adversarial_weight * self.adversarial.generator(self.discriminator(fake)),
        }

    def _content_loss(self, fake: Tensor, real: Tensor) -> Tensor:
        features = self.vgg[0] if self.vgg else self.features
        target: Tensor = features(real).float()
        return F.mse_loss(features(fake).float(), target) / target.var()

    def stages(self) -> list[Stage]:
        game = super().stages()[0]
        pretraining = Player([self.generator], self.pixel_loss)
        stages = [
            Stage({"generator": pretraining}, share=0.65, on_start=self._begin_pretraining),
            replace(game, share=0.3, on_start=self._end_pretraining),
        ]
        learning = Stage({"features": Player([self.features], self.feature_loss)}, share=0.05)
        return stages if self.settings.vgg else [learning, *stages]

    def _begin_pretraining(self) -> None:
        self.is_pretraining = True

    def _end_pretraining(self) -> None:
        self.is_pretraining = False

    def after_step(self, progress: float) -> None:
        if self.is_pretraining:
            layers.ema_update(self.srresnet, self.generator, 1 - self.memory)

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        truth = to_signed(dataset.images)
        small = reduced(truth, self.scale)
        return EvaluationCase({"image": small}, truth, ("patch_fcd", "sharpness"))

    def servables(self) -> dict[str, Servable]:
        channels = self.spec.image.channels
        small = Image(name="image", channels=channels, height=None, width=None, tile=384, overlap=24)
        large = Image(name="enlarged", channels=channels, height=None, width=None, like="image", scale=self.scale)
        networks = {
            "": (self.generator, "with textures that might have been there"),
            "srresnet": (self.srresnet, "as close to the lost pixels as can be, and smooth where they are unsure"),
        }
        return {
            part: Servable(
                nn.Sequential(network, nn.Hardtanh()),
                inputs=(small,),
                outputs=(large,),
                task="image-to-image",
                description=f"Makes a photo of any size {self.scale} times as wide and high, {how}.",
            )
            for part, (network, how) in networks.items()
        }
