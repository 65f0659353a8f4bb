"""Games whose networks also see a label."""

from torch import Tensor, nn

from gan_serve.tensors import Label, Latent
from training.data.dataset import Batch, DataSpec, Terms
from training.gan import GAN, Recipe, Servable
from training.networks import layers


class ConditionalGAN(GAN):
    """A game whose networks take a label as their second input."""

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_classes()
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator()

    def build_generator(self) -> nn.Module:
        """Return latent (N, Z), label (N,) -> image (N, C, H, W); DCGAN's generator, unless a subclass overrides it."""
        classes, spec = len(self.spec.classes), self.spec
        return layers.LabelledGenerator(self.latent_size, classes, spec.channels, spec.size)

    def build_discriminator(self) -> nn.Module:
        """Return image (N, C, H, W) and label (N,) -> logits."""
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
