"""Games of DCGAN's networks, with and without labels."""

from dataclasses import dataclass

from torch import Tensor, nn

from gan_serve.tensors import Label, Latent
from training.data.dataset import Batch, ImageSpec, Terms
from training.gan import GAN, Recipe, Servable
from training.networks import layers


@dataclass(frozen=True)
class ConvolutionalRecipe(Recipe):
    """Adds how wide convolutional networks are."""

    width: int = 32  # channels of the layers next to the image


@dataclass(frozen=True)
class PenalisedRecipe(ConvolutionalRecipe):
    """Adds how much a penalty on the discriminator's gradient counts."""

    penalty_weight: float = 10.0  # lambda


class ConvolutionalGAN(GAN):
    """A game of DCGAN's networks, the same for all variants that change nothing but the loss."""

    settings: ConvolutionalRecipe
    norm: layers.Norm = nn.BatchNorm2d  # of the discriminator

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.generator = layers.dcgan_generator(self.latent_size, spec.channels, spec.size, self.settings.width)
        self.discriminator = self.build_discriminator()

    def build_discriminator(self) -> nn.Module:
        """Image (N, C, H, W) -> logits (N, 1); a subclass may have another."""
        return layers.dcgan_discriminator(self.spec.channels, self.spec.size, self.settings.width, self.norm)


class ConditionalGAN(GAN):
    """A game whose networks also see a label: each takes it as its second input."""

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_classes()
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator()

    def build_generator(self) -> nn.Module:
        """DCGAN's, which sees the latent beside the one-hot label; a subclass may have another."""
        classes, spec = len(self.spec.classes), self.spec
        return layers.LabelledGenerator(self.latent_size, classes, spec.channels, spec.size)

    def build_discriminator(self) -> nn.Module:
        """The subclass's."""
        raise NotImplementedError

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(self.latent(batch), batch["label"])
        return images

    def discriminator_loss(self, batch: Batch) -> Terms:
        label = batch["label"]
        real, fake = self.discriminator(batch["image"], label), self.discriminator(self.fake(batch), label)
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        return {"adversarial": self.adversarial.generator(self.discriminator(self.fake(batch), batch["label"]))}

    def servables(self) -> dict[str, Servable]:
        classes = self.spec.classes
        return {
            "": Servable(
                self.generator,
                inputs=(
                    Latent(name="latent", size=self.latent_size),
                    Label(name="label", classes=classes, description="What to draw."),
                ),
                outputs=(self.spec.image,),
                task="class-conditional",
                description=f"Draws one {self.spec.size}x{self.spec.size} image of the class that is asked for.",
            )
        }
