"""AnoGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Scalar, ScoreOutput
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, to_signed
from training.families.convolutional import ConvolutionalGAN, ConvolutionalRecipe
from training.gan import Player, Recipe, Servable, Stage
from training.networks import layers
from training.networks.descent import descend, pull
from training.scoring import EvaluationCase, EvaluationContext

FLAT = 0.01  # the least standard deviation that is taken for contrast
STEPS, SCORED = 100, 500  # of the descent whose effect is scored, and images of each kind
HIGHEST = 2.0  # anomaly: that of a white image where a black one was expected


@dataclass(frozen=True)
class AnomalyRecipe(ConvolutionalRecipe):
    """Adds what is normal, and how images are prepared."""

    normal: str = "8"  # the class of the images to learn from
    deviations: float = 0.0  # the contrast of every image: how far white is above the mean; 0: the image's own


class AnoGAN(ConvolutionalGAN):
    """Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery.

    Schlegl, Seeböck, Waldstein, Schmidt-Erfurth and Langs 2017, https://arxiv.org/abs/1703.05921
    """

    paper = Paper(
        title="Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery",
        authors="Thomas Schlegl, Philipp Seeböck, Sebastian M. Waldstein, Ursula Schmidt-Erfurth, Georg Langs",
        year=2017,
        url="https://arxiv.org/abs/1703.05921",
    )
    differences = (
        "DCGAN-sized networks for 28x28 images; the descent starts at the latent that an encoder gives, as in f-AnoGAN "
        "(Schlegl et al. 2019), and takes no step by default: on images held out from training, each step made it "
        "harder to recognise other classes; both parts of the score are means, not sums; an exponential average of the "
        "weights. The model of X-rays shows the method; it is no medical device, and makes no diagnosis."
    )
    recipe = AnomalyRecipe(
        dataset="mnist", steps=1_600, batch_size=32, learning_rate=1e-3, final_learning_rate=0.1, ema=0.99, width=16
    )
    presets: ClassVar = {
        "xray": replace(recipe, dataset="pneumoniamnist", normal="normal", deviations=2.5, steps=1_100)  # few images
    }
    latent_size = 32
    feature_share = 0.1  # lambda, of the features in the score
    rate = 0.05  # of the descent

    settings: AnomalyRecipe
    generator: nn.Sequential
    discriminator: nn.Sequential

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        width = self.settings.width
        self.encoder = nn.Sequential(
            layers.dcgan_features(spec.channels, spec.size, width),
            layers.dcgan_head(spec.size, width, self.latent_size),
        )

    @property
    def features(self) -> nn.Sequential:
        """f: image (N, C, H, W) -> the discriminator's features before its last layer."""
        return nn.Sequential(*list(self.discriminator)[:-1])

    def normal(self, dataset: Dataset) -> Tensor:
        """Return whether each image is of the normal class.

        Raises:
            UsageError: there is no such class.
        """
        if self.settings.normal not in dataset.classes:
            raise UsageError(
                f"{dataset.name} has no class {self.settings.normal!r} to learn from; "
                f"use --set normal=CLASS with one of {', '.join(dataset.classes)}"
            )
        return dataset.labels == dataset.classes.index(self.settings.normal)

    def source(self, dataset: Dataset) -> BatchSource:
        return dataset.rows(self.normal(dataset))

    def seen(self, images: Tensor) -> Tensor:
        mean, scale = contrast(images, self.settings.deviations)
        return ((images - mean) / scale).clamp(-1, 1)

    def discriminator_loss(self, batch: Batch) -> Terms:
        return super().discriminator_loss(batch | {"image": self.seen(batch["image"])})

    def encoder_loss(self, batch: Batch) -> Terms:
        """|x - G(E(x))|^2 + |f(x) - f(G(E(x)))|^2, f-AnoGAN's izi_f."""
        image = self.seen(batch["image"])
        found = self.generator(self.encoder(image))
        return {
            "pixels": F.mse_loss(found.float(), image.float()),
            "features": F.mse_loss(self.features(found).float(), self.features(image).float()),
        }

    def stages(self) -> list[Stage]:
        (game,) = super().stages()
        inversion = Player([self.encoder], self.encoder_loss)
        return [
            replace(game, share=0.65),
            Stage({"encoder": inversion}, share=0.35, on_start=self._freeze),
        ]

    def _freeze(self) -> None:
        """Let the game's networks compute as they do when served."""
        self.generator.eval()
        self.discriminator.eval()

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        """Normal images, and then as many others, after a descent."""
        normal = self.normal(dataset)
        count = min(int(normal.sum()), int((~normal).sum()), SCORED)
        images = to_signed(torch.cat([dataset.images[each][:count] for each in (normal, ~normal)]))
        return EvaluationCase({"image": images, "descent": torch.full((2 * count,), float(STEPS))}, images, ())

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        normal, others = context.run(context.case.inputs)["score"].chunk(2)
        return [
            Score(
                name="auroc_after_descent",
                value=(normal[:, None] < others).float().mean().item(),
                better="higher",
                description=f"the first after {STEPS} steps of the search, from {len(normal)} images of each kind",
            )
        ]

    def servables(self) -> dict[str, Servable]:
        image = self.spec.image
        return {
            "": Servable(
                Detector(self),
                inputs=(
                    image,
                    Scalar(name="descent", low=0, high=500, default=0, description="Steps of the search."),
                ),
                outputs=(
                    replace(image, name="reconstruction", like="image", description="The nearest that it can draw."),
                    replace(image, name="heat", like="image", low=0, high=2, description="Where the two differ."),
                    ScoreOutput(name="score", low=0, high=HIGHEST, description="Low for what it has learned."),
                ),
                task="anomaly-detection",
                description="Tells how far an image is from the nearest that a generator can draw which has learned "
                f"the class {self.settings.normal} alone, and where the two differ.",
                highest={"descent": 5},
                tolerance=1e-2,
            )
        }


class Detector(nn.Module):
    """Image x (N, C, H, W) and steps (N,) -> reconstruction G(z), heat |x - G(z)| (N, C, H, W) each, and score A (N,).

    A = (1 - l) |x - G(z)|_1 + l |f(x) - f(G(z))|_1, which the search for z minimises, too.
    """

    def __init__(self, gan: AnoGAN) -> None:
        super().__init__()
        self.generator, self.encoder, self.features = gan.generator, gan.encoder, gan.features
        self.rate, self.share = gan.rate, gan.feature_share
        self.deviations = gan.settings.deviations

    def forward(self, image: Tensor, descent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, scale = contrast(image, self.deviations)
        seen = ((image - mean) / scale).clamp(-1, 1)
        features = self.features(seen)

        def gradient(latent: Tensor) -> Tensor:
            drawn, through_generator = pull(self.generator, latent)
            found, through_features = pull(self.features, drawn)
            by_pixels, by_features = _slope(drawn, seen), _slope(found, features)
            return through_generator((1 - self.share) * by_pixels + through_features(self.share * by_features))

        drawn = self.generator(descend(gradient, self.encoder(seen), descent, self.rate))
        heat = (seen - drawn).abs()
        unlike = (features - self.features(drawn)).abs()
        score = (1 - self.share) * heat.mean(dim=(1, 2, 3)) + self.share * unlike.mean(dim=(1, 2, 3))
        return (drawn * scale + mean).clamp(-1, 1), heat, score.clamp(max=HIGHEST)


def contrast(images: Tensor, deviations: float) -> tuple[Tensor, Tensor]:
    """Return what to subtract from images (N, C, H, W), and then to divide them by, (N, 1, 1, 1) each.

    Afterwards, their mean is 0, and white is `deviations` standard deviations above it. 0 changes nothing.
    """
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    if not deviations:
        return torch.zeros_like(mean), torch.ones_like(mean)
    return mean, deviations * (images - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(FLAT)


def _slope(values: Tensor, wanted: Tensor) -> Tensor:
    """Return the gradient of the mean absolute difference of each row."""
    return (values - wanted).sign() / values[0].numel()
