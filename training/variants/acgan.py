"""AC-GAN."""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training.data.dataset import Batch, DataSpec, Terms
from training.families.conditional import ConditionalGAN
from training.gan import Recipe, Stage
from training.networks import layers


class ACGAN(ConditionalGAN):
    """Conditional Image Synthesis with Auxiliary Classifier GANs (Odena, Olah and Shlens 2017).

    https://arxiv.org/abs/1610.09585
    """

    paper = Paper(
        title="Conditional Image Synthesis with Auxiliary Classifier GANs",
        authors="Augustus Odena, Christopher Olah, Jonathon Shlens",
        year=2017,
        url="https://arxiv.org/abs/1610.09585",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; the class loss on generated images counts a hundredth for the "
        "discriminator, and for the generator half at first and twice in the last half of the training; an "
        "exponential average of the weights."
    )
    # With the paper's 1, the class head accepts any image that the generator draws for a label: eights for threes.
    fake_class_weight = 0.01
    # A large weight from the start makes the generator prefer images that are easy to recognise over varied ones; at
    # the end it needs one, to avoid images between two classes.
    generator_class_weight: float = 0.5
    late_generator_class_weight = 2.0
    recipe = Recipe(dataset="mnist", steps=24_000, final_learning_rate=0.1)

    def build_discriminator(self) -> nn.Module:
        return TwoHeads(self.spec)

    def discriminator_loss(self, batch: Batch) -> Terms:
        real, real_class = self.discriminator(batch["image"])
        fake, fake_class = self.discriminator(self.fake(batch))
        self.record_diagnostics(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),  # -L_S
            "class_real": F.cross_entropy(real_class.float(), batch["label"]),  # -L_C
            "class_fake": self.fake_class_weight * F.cross_entropy(fake_class.float(), batch["label"]),
        }

    def generator_loss(self, batch: Batch) -> Terms:
        fake, fake_class = self.discriminator(self.fake(batch))
        return {
            "adversarial": self.adversarial.generator(fake),
            "class": self.generator_class_weight * F.cross_entropy(fake_class.float(), batch["label"]),
        }

    def stages(self) -> list[Stage]:
        (stage,) = super().stages()
        return [stage, replace(stage, on_start=self._raise_class_weight)]

    def _raise_class_weight(self) -> None:
        self.generator_class_weight = self.late_generator_class_weight


class TwoHeads(nn.Module):
    """Image (N, C, H, W) -> source logits (N, 1) and class logits (N, K), from shared features."""

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()
        width = layers.dcgan_width(spec.size)
        self.features = layers.dcgan_features(spec.channels, spec.size).append(layers.pointwise(width, width))
        self.source = layers.dcgan_head(spec.size)
        self.label = layers.dcgan_head(spec.size, outputs=len(spec.classes))
        self.dropout = nn.Dropout(0.5)  # forces the label head to rely on more than one feature

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(image)
        return self.source(features), self.label(self.dropout(features))
