"""ICGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.metadata import Paper, Score
from gan_serve.tensors import Label
from training.data.dataset import Batch, Dataset, DataSpec, Terms, to_signed
from training.families.editing import KEPT, Editing
from training.gan import GAN, Player, Recipe, Servable, Stage
from training.networks import layers, traits
from training.scoring import EvaluationCase, EvaluationContext


@dataclass(frozen=True)
class EditingRecipe(Recipe):
    """Adds the traits to edit, the width of the networks, and the share of the steps that train the encoders."""

    traits: tuple[str, ...] = ()  # those to edit; none: all of the data's
    width: int = 32  # channels of the layers next to the image
    encoding_share: float = 0.25  # of the steps: the last ones
    mismatch_weight: float = 1.0  # of real images with a wrong trait, in D's loss


class ICGAN(GAN):
    """Invertible Conditional GANs for image editing (Perarnau, van de Weijer, Raducanu and Álvarez 2016).

    https://arxiv.org/abs/1611.06355

    First, a conditional GAN learns x = G(z, y), with y the traits. Then two encoders learn to read an image:
    z = E_z(x) from images of the frozen G, and y = E_y(x) from real ones. To edit an image, G draws E_z(x) with some
    traits of E_y(x) replaced.
    """

    paper = Paper(
        title="Invertible Conditional GANs for image editing",
        authors="Guim Perarnau, Joost van de Weijer, Bogdan Raducanu, Jose M. Álvarez",
        year=2016,
        url="https://arxiv.org/abs/1611.06355",
    )
    differences = (
        "DCGAN-sized networks; each trait is one of several choices, where the paper has attributes that are there or "
        "not; the discriminator is a projection discriminator, so that a real image is compared with each wrong "
        "choice; an exponential average of the weights."
    )
    recipe = EditingRecipe(
        dataset="nouns_40", steps=6_800, learning_rate=5e-4, final_learning_rate=0.1, image_size=32,
        traits=("head", "glasses", "body", "background"),
    )  # fmt: skip
    presets: ClassVar = {
        "digits": EditingRecipe(
            dataset="mnist", steps=5_500, learning_rate=5e-4, final_learning_rate=0.1, width=24, encoding_share=0.2
        )
    }
    latent_size = 32
    encoder_width = 16

    settings: EditingRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        self.choices = edited(spec, self.settings.traits)
        shape, count = (spec.channels, spec.size), sum(traits.sizes(self.choices))
        self.generator = layers.dcgan_generator(self.latent_size + count, *shape, self.settings.width)
        self.discriminator = traits.TraitDiscriminator(self.choices, *shape, self.settings.width)
        self.latent_encoder = traits.encoder(*shape, self.encoder_width, self.latent_size)  # E_z
        self.trait_encoder = traits.encoder(*shape, self.encoder_width, count)  # E_y

    def chosen(self, batch: Batch) -> Tensor:
        """Return the number of the choice for each edited trait (N, T)."""
        if "traits" not in batch:
            return batch["label"][:, None]
        return traits.chosen(batch["traits"], list(self.spec.traits), self.choices)

    def condition(self, batch: Batch) -> Tensor:
        """Return y: each trait one-hot, side by side (N, K)."""
        return traits.one_hot(self.chosen(batch), self.choices)

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(torch.cat([self.latent(batch), self.condition(batch)], dim=1))
        return images

    def stages(self) -> list[Stage]:
        (game,) = super().stages()
        rate = 4 * self.settings.learning_rate  # which has decayed by then
        encoders = {
            "latent_encoder": Player([self.latent_encoder], self.latent_loss, learning_rate=rate),
            "trait_encoder": Player([self.trait_encoder], self.trait_loss, learning_rate=rate),
        }
        share = self.settings.encoding_share
        return [replace(game, share=1 - share), Stage(encoders, share)]

    def discriminator_loss(self, batch: Batch) -> Terms:
        y = self.condition(batch)
        own, each = self.discriminator(batch["image"])
        real, fake = matched((own, each), y), matched(self.discriminator(self.fake(batch)), y)
        self.record_diagnostics(real, fake)
        return {
            "adversarial": self.adversarial.discriminator(real, fake),
            "mismatch": self.settings.mismatch_weight * self._mismatch(real, each, y),
        }

    def _mismatch(self, real: Tensor, each: Tensor, y: Tensor) -> Tensor:
        """-log(1 - D(x, y')), summed over the traits, and averaged over the wrong choices for one of them."""
        losses = []
        for logits, right in zip(self.apart(each.float()), self.apart(y), strict=True):
            changed = real.float() - (logits * right).sum(dim=1, keepdim=True) + logits  # D(x, y') for each choice
            losses.append((F.softplus(changed) * (1 - right)).sum() / (1 - right).sum())
        return torch.stack(losses).sum()

    def apart(self, choices: Tensor) -> tuple[Tensor, ...]:
        """Split what stands side by side, (N, K), into the traits."""
        return torch.split(choices, traits.sizes(self.choices), dim=1)

    def generator_loss(self, batch: Batch) -> Terms:
        fake = self.discriminator(self.fake(batch))
        return {"adversarial": self.adversarial.generator(matched(fake, self.condition(batch)))}

    def latent_loss(self, batch: Batch) -> Terms:
        """|z - E_z(G(z, y))|^2, on images of the frozen G."""
        latent = self.latent(batch)
        made = self.generator(torch.cat([latent, self.condition(batch)], dim=1))
        return {"distance": F.mse_loss(self.latent_encoder(made).float(), latent.float())}

    def trait_loss(self, batch: Batch) -> Terms:
        """Return the cross-entropy of each trait that E_y reads in real images."""
        read = self.apart(self.trait_encoder(batch["image"]).float())
        return {
            name: F.cross_entropy(logits, right)
            for name, logits, right in zip(self.choices, read, self.chosen(batch).unbind(1), strict=True)
        }

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        """The images drawn again as they are."""
        images = to_signed(dataset.images)
        labels = {name: torch.full((len(images),), len(names)) for name, names in self.choices.items()}
        return EvaluationCase({"image": images, **labels}, images, ("label_accuracy", "psnr"))

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        return Editing(context).scores()

    def servables(self) -> dict[str, Servable]:
        labels = (
            Label(name=name, classes=(*names, KEPT), default=KEPT, description=f"The new {name}.")
            for name, names in self.choices.items()
        )
        return {
            "": Servable(
                traits.Editor(self.generator, self.latent_encoder, self.trait_encoder, self.choices),
                inputs=(self.spec.image, *labels),
                outputs=(replace(self.spec.image, name="edited", like="image"),),
                task="image-to-image",
                description=f"Draws an image again with another {' or '.join(self.choices)}.",
            )
        }


def edited(spec: DataSpec, names: tuple[str, ...]) -> traits.Choices:
    """Return the choices for each trait of these names; of data without traits, the classes, as those of the label.

    Raises:
        UsageError: the data has other traits, or neither traits nor several classes.
    """
    if not spec.traits:
        spec.check_classes()
        return {"label": spec.classes}
    for name in names:
        if name not in spec.traits:
            raise UsageError(f"the data has no trait {name!r}; its traits are {', '.join(spec.traits)}")
    return {name: spec.traits[name] for name in names or spec.traits}


def matched(logits: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    """D(x, y), (N, 1): the image's own logit, and those of its traits y (N, K)."""
    own, each = logits
    return own + (each * y).sum(dim=1, keepdim=True)
