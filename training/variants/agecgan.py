"""Age-cGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Label, Scalar
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, to_signed
from training.gan import GAN, Player, Recipe, Servable, Stage
from training.metrics import distribution, handwriting
from training.networks import layers
from training.networks.descent import descend, pull
from training.scoring import EvaluationCase, EvaluationContext

AGES = ("thinnest", "thinner", "thin", "thick", "thicker", "thickest")
STEPS = 50  # of the descent


@dataclass(frozen=True)
class AgeingRecipe(Recipe):
    """Adds the weight of the agreement between two ages of a latent."""

    identity_weight: float = 1.0  # 0: the paper's game, which may draw another digit at another age


class AgeCGAN(GAN):
    """Face Aging With Conditional Generative Adversarial Networks (Antipov, Baccouche and Dugelay 2017).

    https://arxiv.org/abs/1702.01983
    """

    paper = Paper(
        title="Face Aging With Conditional Generative Adversarial Networks",
        authors="Grigory Antipov, Moez Baccouche, Jean-Luc Dugelay",
        year=2017,
        url="https://arxiv.org/abs/1702.01983",
    )
    differences = (
        "Digits instead of faces, since no openly licensed faces come with ages: the age is the thickness of the "
        "strokes, in six bins with equally many of the training images, and who it is is the digit. The age of an "
        "image is measured, where the paper has a second network. The features that identify a digit are those of a "
        "small network trained here, in the first stage, and the generator also learns that a latent shows the same "
        "digit at two ages. The latent is found by Adam in the graph, since L-BFGS searches along a line. An "
        "exponential average of the weights."
    )
    recipe = AgeingRecipe(dataset="mnist", steps=7_000, learning_rate=1e-3, final_learning_rate=0.1, ema=0.998)
    latent_size = 32
    width = 24  # channels of the layers next to the image
    identity_width = 16  # of the network that identifies a digit
    rate, prior_weight = 0.1, 0.001  # of the descent

    settings: AgeingRecipe
    edges: Tensor

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_classes()
        shape = spec.channels, spec.size
        inputs, planes = self.latent_size + len(AGES), spec.channels + len(AGES)
        self.generator = layers.dcgan_generator(inputs, *shape, self.width)
        self.discriminator = layers.dcgan_discriminator(planes, spec.size, self.width)
        self.encoder = nn.Sequential(
            layers.dcgan_features(*shape, self.width // 2),
            layers.dcgan_head(spec.size, self.width // 2, self.latent_size),
        )
        self.identity = layers.dcgan_features(*shape, self.identity_width)  # FR
        self.names = layers.dcgan_head(spec.size, self.identity_width, len(spec.classes))
        self.register_buffer("edges", torch.linspace(1, 4, len(AGES) - 1))

    def source(self, dataset: Dataset) -> BatchSource:
        self.edges.copy_(age_edges(to_signed(dataset.images)))
        return dataset

    def age(self, images: Tensor) -> Tensor:
        """Return the number (N,) of the age of images (N, C, H, W)."""
        return age(images, self.edges)

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(aged(self.latent(batch), self.age(batch["image"])))
        return images

    def discriminator_loss(self, batch: Batch) -> Terms:
        real, fake = (self._judged(images, batch) for images in (batch["image"], self.fake(batch)))
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        latent, ages = self.latent(batch), self.age(batch["image"])
        fake = self.generator(aged(latent, ages))
        other = self.generator(aged(latent, ages.roll(1)))
        shown, expected = self._named(other).log_softmax(dim=1), self._named(fake).detach().softmax(dim=1)
        return {
            "adversarial": self.adversarial.generator(self._judged(fake, batch)),
            "identity": self.settings.identity_weight * F.kl_div(shown, expected, reduction="batchmean"),
        }

    def _named(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of the digit that images (N, C, H, W) show."""
        logits: Tensor = self.names(self.identity(images)).float()
        return logits

    def _judged(self, images: Tensor, batch: Batch) -> Tensor:
        """Return D's logits (N, 1) of images with the ages of the batch."""
        ages = layers.one_hot(self.age(batch["image"]), len(AGES))
        logits: Tensor = self.discriminator(layers.concatenate_label(images, ages))
        return logits

    def identity_loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of naming the digit."""
        return {"name": F.cross_entropy(self._named(batch["image"]), batch["label"])}

    def encoder_loss(self, batch: Batch) -> Terms:
        """|E(G(z, y)) - z|^2, of images that G makes."""
        latent = self.latent(batch)
        with torch.no_grad():
            images = self.generator(aged(latent, self.age(batch["image"])))
        return {"latent": F.mse_loss(self.encoder(images).float(), latent.float())}

    def stages(self) -> list[Stage]:
        (game,) = super().stages()
        learning = Player([self.identity, self.names], self.identity_loss)
        inversion = Player([self.encoder], self.encoder_loss)
        return [
            Stage({"identity": learning}, share=0.1),
            replace(game, share=0.6, on_start=self._freeze_identity),
            Stage({"encoder": inversion}, share=0.3),
        ]

    def _freeze_identity(self) -> None:
        """Let the networks that identify a digit compute as they do when served."""
        self.identity.eval()
        self.names.eval()

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        """Images, to be drawn at every age; the digit that is seen in the result is what counts."""
        images = to_signed(dataset.images)
        ages, steps = torch.arange(len(images)) % len(AGES), torch.full((len(images),), float(STEPS))
        return EvaluationCase({"image": images, "age": ages, "descent": steps}, images, ("label_accuracy",))

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        labels = context.test.labels[: len(context.case.truth)]
        found, start = (_drawn(context, steps) for steps in (STEPS, 0))
        return [
            _score("age_within_one", _near_age(context, found), "share of images within a bin of the age asked for"),
            _score(
                "label_accuracy_of_the_start",
                _kept(context, start, labels),
                "the same of images from the latent that the encoder gives, without a descent",
            ),
            _score(
                "label_accuracy_of_another",
                _kept(context, found, labels.roll(1)),
                "the same of images from the latent of another image: chance",
            ),
        ]

    def servables(self) -> dict[str, Servable]:
        return {
            "": self._servable(self.identity, "keeping what it shows"),
            "pixelwise": self._servable(nn.Sequential(), "keeping its pixels: a control"),
        }

    def _servable(self, identity: nn.Module, how: str) -> Servable:
        image = self.spec.image
        return Servable(
            Ageing(self, identity),
            inputs=(
                replace(image, fit="pad"),
                Label(name="age", classes=AGES, description="How thick the strokes become."),
                Scalar(name="descent", low=0, high=500, default=STEPS, description="Steps of the search."),
            ),
            outputs=(replace(image, name="aged", like="image"),),
            task="image-to-image",
            description=f"Draws a digit again with strokes of another thickness, {how}.",
            highest={"descent": 5},
            tolerance=1e-2,
        )


class Ageing(nn.Module):
    """Image x (N, C, H, W), age y (N,) and number of steps (N,) -> G(z*, y), with z* = argmin |FR(x) - FR(G(z, y0))|^2.

    The search starts at E(x), with y0 the age of x.
    """

    edges: Tensor

    def __init__(self, gan: AgeCGAN, identity: nn.Module) -> None:
        super().__init__()
        self.generator, self.encoder, self.identity = gan.generator, gan.encoder, identity
        self.register_buffer("edges", gan.edges)
        self.rate, self.prior_weight = gan.rate, gan.prior_weight

    def forward(self, image: Tensor, age_wanted: Tensor, descent: Tensor) -> Tensor:
        features, own_age = self.identity(image), age(image, self.edges)

        def gradient(latent: Tensor) -> Tensor:
            found, back = pull(nn.Sequential(self.generator, self.identity), aged(latent, own_age))
            difference = found - features
            slope = back(2 * difference / difference[0].numel())[:, : latent.shape[1]]
            return slope + 2 * self.prior_weight * latent / latent.shape[1]

        latent = descend(gradient, self.encoder(image), descent, self.rate)
        images: Tensor = self.generator(aged(latent, age_wanted))
        return images


def aged(latent: Tensor, ages: Tensor) -> Tensor:
    """Latents (N, Z) and ages (N,) -> what the generator takes."""
    return torch.cat([latent, layers.one_hot(ages, len(AGES))], dim=1)


def age(images: Tensor, edges: Tensor) -> Tensor:
    """Return the number of the age (N,) of images (N, C, H, W), by the thicknesses at which an age begins."""
    return (handwriting.width(images)[:, None] >= edges).sum(dim=1)


def age_edges(images: Tensor) -> Tensor:
    """Return the thicknesses that divide images (N, C, H, W) into ages of equally many."""
    shares = torch.arange(1, len(AGES)) / len(AGES)
    return handwriting.width(images).quantile(shares)


def _drawn(context: EvaluationContext, steps: int) -> Tensor:
    """Return the case's images at other ages (N, C, H, W), after a descent of so many steps."""
    return context.run(context.case.inputs | {"descent": torch.full((len(context.case.truth),), float(steps))})["aged"]


def _near_age(context: EvaluationContext, images: Tensor) -> float:
    edges = age_edges(to_signed(context.train.images))
    missed = age(images, edges) - context.case.inputs["age"]
    return (missed.abs() <= 1).float().mean().item()


def _kept(context: EvaluationContext, images: Tensor, labels: Tensor) -> float:
    return distribution.label_accuracy(context.predict(images).probabilities, labels.numpy())


def _score(name: str, value: float, description: str) -> Score:
    return Score(name=name, value=value, better="higher", description=description)
