"""cGAN."""

from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper
from training.data.dataset import Batch, DataSpec, Terms
from training.families.conditional import ConditionalGAN
from training.gan import Recipe
from training.networks import layers


class CGAN(ConditionalGAN):
    """Conditional Generative Adversarial Nets (Mirza and Osindero 2014).

    https://arxiv.org/abs/1411.1784
    """

    paper = Paper(
        title="Conditional Generative Adversarial Nets",
        authors="Mehdi Mirza, Simon Osindero",
        year=2014,
        url="https://arxiv.org/abs/1411.1784",
    )
    differences = (
        "Convolutions instead of dense maxout layers; the label enters the discriminator as constant planes beside "
        "the image and its features; the discriminator also sees real images with wrong labels, as fakes (after Reed "
        "et al. 2016, arXiv 1605.05396); an exponential average of the weights."
    )
    recipe = Recipe(dataset="mnist", steps=12_000, final_learning_rate=0.1)
    # Without this term, one image in sixty is a good digit of the wrong class: too few for the discriminator to learn
    # from. A higher weight leaves fewer of them, but less variety: 0.1 leaves one in 120, 0.5 one in a thousand.
    mismatch_weight = 0.25

    def build_discriminator(self) -> nn.Module:
        return ConditionalDiscriminator(self.spec)

    def discriminator_loss(self, batch: Batch) -> Terms:
        mismatched = self.discriminator(batch["image"], self._other_labels(batch))
        return super().discriminator_loss(batch) | {
            "mismatch": self.mismatch_weight * F.softplus(mismatched.float()).mean()  # -log(1 - D(x, wrong y))
        }

    def _other_labels(self, batch: Batch) -> Tensor:
        """Return a random wrong label (N,) for each image."""
        classes = len(self.spec.classes)
        return (batch["label"] + 1 + (self.uniform(batch) * (classes - 1)).long()) % classes


class ConditionalDiscriminator(nn.Module):
    """Image (N, C, H, W) and label (N,) -> logits (N, 1): whether the image is a real one of this label."""

    def __init__(self, spec: DataSpec, width: int = 64) -> None:
        super().__init__()
        self.classes = len(spec.classes)
        self.features = layers.dcgan_features(spec.channels + self.classes, spec.size, width)
        features = layers.dcgan_width(spec.size, width)
        self.joint = layers.pointwise(features + self.classes, features)
        self.head = layers.dcgan_head(spec.size, width)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        one_hot = layers.one_hot(label, self.classes)
        features = self.features(layers.concatenate_label(image, one_hot))
        logits: Tensor = self.head(self.joint(layers.concatenate_label(features, one_hot)))
        return logits
