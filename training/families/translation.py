"""Games of images of two kinds: from one kind to the other in pairs, or both ways without pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.tensors import Image
from training.data.dataset import Batch, BatchSource, Dataset, ImageSpec, Terms, to_signed
from training.data.transforms import Jittered
from training.gan import GAN, Recipe, Servable
from training.scoring import PATCH, EvaluationCase

LINES = "line"  # the kind of image that is line art, which people may draw themselves

JITTER = 16  # by how much of its side an image is moved at most: one part of so many


def jittered(source: BatchSource, dataset: Dataset) -> BatchSource:
    """A source of images of the data set, moved and mirrored.

    The papers enlarge images by an eighth and cut them again, which would blur label maps.
    """
    return Jittered(source, dataset.spec.size // JITTER)


@dataclass(frozen=True)
class TranslationRecipe(Recipe):
    """Adds which two kinds of images there are."""

    view: str = "view"  # the kind that stands beside the images of the data
    target: str = "target"  # what the images are called

    @property
    def views(self) -> tuple[str, ...]:
        return (self.view,)


class TranslationGAN(GAN):
    """A game whose generator turns the view of a thing into its image.

    Raises:
        UsageError: the images have another size than `multiple` allows, or augmentation is asked for, which would move
            an image away from its view.
    """

    multiple: ClassVar[int]  # of pixels, that an image's side must be
    settings: TranslationRecipe

    def __init__(self, spec: ImageSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_multiple(self.multiple)
        if self.augmentations:
            raise UsageError("images in pairs are not augmented; leave out augment")

    def source(self, dataset: Dataset) -> BatchSource:
        return jittered(dataset, dataset)

    def condition(self, batch: Batch) -> Tensor:
        """The views (N, C, H, W)."""
        return batch[self.settings.view]

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(self.condition(batch))
        return images

    def taken(self, kind: str) -> Image:
        """The kind of image that goes in; as a whole, for a drawing has no margin to spare."""
        return replace(self.spec.image, fit="pad", sketch=kind == LINES)

    def made(self, name: str) -> Image:
        """The kind of image that comes out: of the same things, in the same places."""
        return replace(self.spec.image, name=name, like="image")

    def paired(self, dataset: Dataset, *figures: str) -> EvaluationCase:
        """The data's views, and what should become of them."""
        view, images = dataset.views[self.settings.view], dataset.images
        count = min(len(view), len(images))  # two sets that are no pairs may not be as large
        return EvaluationCase({"image": to_signed(view[:count])}, to_signed(images[:count]), figures)


@dataclass(frozen=True)
class Way:
    """One of the two ways between two kinds of images."""

    generator: Literal["forth", "back"]
    given: str  # the kind of images that go in
    made: str  # the kind that comes out


@dataclass(frozen=True)
class TwoWayRecipe(TranslationRecipe):
    """Adds how much it counts that there and back again is where one was."""

    cycle_weight: float = 10.0  # lambda; 0: the control, two games side by side

    @property
    def pairs(self) -> bool:
        return False


class TwoWayGAN(TranslationGAN):
    """Two generators between two kinds of images that never come in pairs, and a discriminator of each kind.

    A subclass builds `generator` and `discriminator` as dicts of `forth`, which makes images of views, and `back`; a
    discriminator judges what the generator of its name makes.
    """

    adversarial_weight: ClassVar[float] = 1.0
    settings: TwoWayRecipe
    generator: nn.ModuleDict
    discriminator: nn.ModuleDict

    def source(self, dataset: Dataset) -> BatchSource:
        return dataset.unpaired()

    def given(self, batch: Batch) -> dict[str, Tensor]:
        """What each generator is given."""
        return {"forth": self.condition(batch), "back": batch["image"]}

    def fakes(self, batch: Batch) -> dict[str, Tensor]:
        """What each generator makes of it."""
        return {way: self.generator[way](images) for way, images in self.given(batch).items()}

    def shown(self, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the discriminators see of it."""
        return fakes

    def discriminator_loss(self, batch: Batch) -> Terms:
        given, fakes = self.given(batch), self.shown(self.fakes(batch))
        real = {"forth": self.discriminator["forth"](given["back"]), "back": self.discriminator["back"](given["forth"])}
        fake = {way: self.discriminator[way](images) for way, images in fakes.items()}
        self.record_diagnostics(torch.cat([*real.values()]), torch.cat([*fake.values()]))
        return {f"adversarial {way}": self.adversarial.discriminator(real[way], fake[way]) for way in real}

    def generator_loss(self, batch: Batch) -> Terms:
        given, fakes = self.given(batch), self.fakes(batch)
        terms = {
            f"adversarial {way}": self.adversarial_weight * self.adversarial.generator(self.discriminator[way](fake))
            for way, fake in fakes.items()
        }
        return terms | (self._cycle(given, fakes) if self.settings.cycle_weight else {})

    def _cycle(self, given: dict[str, Tensor], fakes: dict[str, Tensor]) -> Terms:
        returned = {"forth": self.generator["back"](fakes["forth"]), "back": self.generator["forth"](fakes["back"])}
        weight = self.settings.cycle_weight
        return {f"cycle {way}": weight * self.cycle_loss(returned[way], given[way]) for way in returned}

    def cycle_loss(self, returned: Tensor, given: Tensor) -> Tensor:
        """How far there and back again is from where one was."""
        return F.l1_loss(returned.float(), given.float())

    def parts(self) -> dict[str, Way]:
        """What each model that is shipped is called, and which way it goes."""
        view, target = self.settings.view, self.settings.target
        ways = (Way("forth", view, target), Way("back", target, view))
        return {f"{way.given}2{way.made}": way for way in ways}

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        forth = self.paired(dataset, *(("psnr", "ssim", "retrieval") if dataset.pairs else self._unpaired_figures()))
        if self.parts()[part].generator == "back":
            forth = replace(forth, inputs={"image": forth.truth}, truth=forth.inputs["image"])
        return replace(forth, baselines={"input": forth.inputs["image"]}) if dataset.pairs else forth

    def _unpaired_figures(self) -> tuple[str, ...]:
        """What can be measured where no image has a true partner: how alike the two sets are as a whole."""
        judged = self.spec.channels == 3 and self.spec.size >= PATCH
        return ("patch_fcd", "sharpness") if judged else ("sharpness",)

    def servables(self) -> dict[str, Servable]:
        return {
            part: Servable(
                self.generator[way.generator],
                inputs=(self.taken(way.given),),
                outputs=(self.made(way.made),),
                task="image-to-image",
                description=f"Turns an image from {way.given} into {way.made}, learned without pairs.",
            )
            for part, way in self.parts().items()
        }
