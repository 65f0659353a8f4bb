"""Games that translate between two kinds of images: one way in pairs, or both ways without pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_serve.errors import UsageError
from gan_serve.tensors import Image
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms, to_signed
from training.data.transforms import Jittered
from training.gan import GAN, Recipe, Servable
from training.scoring import PATCH, EvaluationCase

LINES = "line"  # the kind of image that is line art, which users may draw themselves

JITTER = 16  # an image is moved by at most this fraction of its side: 1/16


def jittered(source: BatchSource, dataset: Dataset) -> BatchSource:
    """Return a source of the data set's images, randomly moved and mirrored.

    The papers enlarge images by an eighth and crop them, which would blur label maps.
    """
    return Jittered(source, dataset.spec.size // JITTER)


@dataclass(frozen=True)
class TranslationRecipe(Recipe):
    """Adds the names of the two kinds of images."""

    view: str = "view"  # the kind that accompanies the images of the data set
    target: str = "target"  # the images of the data set

    @property
    def views(self) -> tuple[str, ...]:
        return (self.view,)


class TranslationGAN(GAN):
    """A game whose generator turns the view of an object into its image.

    Raises:
        UsageError: the image size is no multiple of `multiple`, or augmentation is on, which would move an image away
            from its view.
    """

    multiple: ClassVar[int]  # pixels; an image's side must be a multiple of it
    settings: TranslationRecipe

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(spec, recipe)
        spec.check_multiple(self.multiple)
        if self.augmentations:
            raise UsageError("images in pairs are not augmented; leave out augment")

    def source(self, dataset: Dataset) -> BatchSource:
        return jittered(dataset, dataset)

    def condition(self, batch: Batch) -> Tensor:
        """Return the views (N, C, H, W)."""
        return batch[self.settings.view]

    def fake(self, batch: Batch) -> Tensor:
        images: Tensor = self.generator(self.condition(batch))
        return images

    def input_kind(self, kind: str) -> Image:
        """Describe the input tensor for a kind of image; it is padded, not cropped, since a drawing has no margins."""
        return replace(self.spec.image, fit="pad", sketch=kind == LINES)

    def output_kind(self, name: str) -> Image:
        """Describe the output tensor: an image of the input's objects in the input's places."""
        return replace(self.spec.image, name=name, like="image")

    def translator(self, description: str) -> Servable:
        """Return the generator as a model of the view, whose output is the target."""
        return Servable(
            self.generator,
            inputs=(self.input_kind(self.settings.view),),
            outputs=(self.output_kind(self.settings.target),),
            task="image-to-image",
            description=description,
        )

    def paired_case(self, dataset: Dataset, *figures: str) -> EvaluationCase:
        """Return the data set's views as inputs and its images as the truth."""
        view, images = dataset.views[self.settings.view], dataset.images
        count = min(len(view), len(images))  # unpaired sets may differ in size
        return EvaluationCase({"image": to_signed(view[:count])}, to_signed(images[:count]), figures)


@dataclass(frozen=True)
class Way:
    """One of the two directions between two kinds of images."""

    generator: Literal["forth", "back"]
    source: str  # the kind of the generator's input
    target: str  # the kind of its output


@dataclass(frozen=True)
class TwoWayRecipe(TranslationRecipe):
    """Adds the weight of the cycle loss."""

    cycle_weight: float = 10.0  # lambda; 0: the control, two independent games

    @property
    def pairs(self) -> bool:
        return False


class TwoWayGAN(TranslationGAN):
    """Two generators between two kinds of images that never come in pairs, and a discriminator for each kind.

    With X the views and Y the images of the data set, the code's names are those of the papers as follows:

    - generator["forth"]: CycleGAN's G: X -> Y, DiscoGAN's G_AB; generator["back"]: F: Y -> X, G_BA.
    - discriminator["forth"]: D_Y or D_B, which judges G's images; discriminator["back"]: D_X or D_A, which judges F's.

    A subclass builds both dicts.
    """

    adversarial_weight: ClassVar[float] = 1.0
    settings: TwoWayRecipe
    generator: nn.ModuleDict
    discriminator: nn.ModuleDict

    def source(self, dataset: Dataset) -> BatchSource:
        return dataset.unpaired()

    def real_inputs(self, batch: Batch) -> dict[str, Tensor]:
        """Return each generator's real inputs: x for `forth`, y for `back`."""
        return {"forth": self.condition(batch), "back": batch["image"]}

    def fakes(self, batch: Batch) -> dict[str, Tensor]:
        """Return each generator's output: G(x) for `forth`, F(y) for `back`."""
        return {way: self.generator[way](images) for way, images in self.real_inputs(batch).items()}

    def discriminator_inputs(self, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the generated images that the discriminators train on; a subclass may replay older ones."""
        return fakes

    def discriminator_loss(self, batch: Batch) -> Terms:
        inputs, fakes = self.real_inputs(batch), self.discriminator_inputs(self.fakes(batch))
        real = {
            "forth": self.discriminator["forth"](inputs["back"]),  # D_Y(y)
            "back": self.discriminator["back"](inputs["forth"]),  # D_X(x)
        }
        fake = {way: self.discriminator[way](images) for way, images in fakes.items()}  # D_Y(G(x)), D_X(F(y))
        self.record_diagnostics(torch.cat([*real.values()]), torch.cat([*fake.values()]))
        return {f"adversarial {way}": self.adversarial.discriminator(real[way], fake[way]) for way in real}

    def generator_loss(self, batch: Batch) -> Terms:
        inputs, fakes = self.real_inputs(batch), self.fakes(batch)
        terms = {
            f"adversarial {way}": self.adversarial_weight * self.adversarial.generator(self.discriminator[way](fake))
            for way, fake in fakes.items()
        }
        return terms | (self._cycle(inputs, fakes) if self.settings.cycle_weight else {})

    def _cycle(self, inputs: dict[str, Tensor], fakes: dict[str, Tensor]) -> Terms:
        returned = {
            "forth": self.generator["back"](fakes["forth"]),  # F(G(x))
            "back": self.generator["forth"](fakes["back"]),  # G(F(y))
        }
        weight = self.settings.cycle_weight
        return {f"cycle {way}": weight * self.cycle_loss(returned[way], inputs[way]) for way in returned}

    def cycle_loss(self, returned: Tensor, inputs: Tensor) -> Tensor:
        """|F(G(x)) - x|_1: the distance between images and their translation there and back."""
        return F.l1_loss(returned.float(), inputs.float())

    def parts(self) -> dict[str, Way]:
        """Return the direction of each model that is shipped, by the model's name."""
        view, target = self.settings.view, self.settings.target
        ways = (Way("forth", view, target), Way("back", target, view))
        return {f"{way.source}2{way.target}": way for way in ways}

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase:
        figures = ("psnr", "ssim", "retrieval") if dataset.pairs else self._unpaired_figures()
        forth = self.paired_case(dataset, *figures)
        if self.parts()[part].generator == "back":
            forth = replace(forth, inputs={"image": forth.truth}, truth=forth.inputs["image"])
        return replace(forth, baselines={"input": forth.inputs["image"]}) if dataset.pairs else forth

    def _unpaired_figures(self) -> tuple[str, ...]:
        """Name the figures that need no true partner of an image: they compare the two sets as a whole."""
        judged = self.spec.channels == 3 and self.spec.size >= PATCH
        return ("patch_fcd", "sharpness") if judged else ("sharpness",)

    def servables(self) -> dict[str, Servable]:
        return {
            part: Servable(
                self.generator[way.generator],
                inputs=(self.input_kind(way.source),),
                outputs=(self.output_kind(way.target),),
                task="image-to-image",
                description=f"Turns an image from {way.source} into {way.target}, learned without pairs.",
            )
            for part, way in self.parts().items()
        }
