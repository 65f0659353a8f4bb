"""The contract between a variant and everything else: what it trains, how often, and which models it ships."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gan_serve.extremes import smallest_side
from gan_serve.metadata import Paper, Score, Task
from gan_serve.tensors import Image, InputTensor, Latent, OutputTensor, Scalar
from training import augment, distributed, losses
from training.data.dataset import Batch, BatchSource, Dataset, DataSpec, Terms
from training.scoring import EvaluationCase, EvaluationContext


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a variant. Subclass it to add one; the command line can override every field."""

    dataset: str
    steps: int
    batch_size: int = 64
    learning_rate: float = 2e-4
    discriminator_learning_rate: float | None = None  # None: the same as the generator's
    betas: tuple[float, float] = (0.5, 0.999)
    ema: float = 0.999
    optimizer: Literal["adam", "rmsprop"] = "adam"
    final_learning_rate: float = 1.0  # at the end of a linear decay, as a share of the learning rate
    image_size: int = 28  # pixels; images of a folder are resized to it
    augment: str | None = None  # of the discriminator's images: any of color,translation,cutout

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the other images that the data must have."""
        return ()

    @property
    def pairs(self) -> bool:
        """Whether each of those images must show the same thing as the image beside it."""
        return True


# The values that a resumed training may change; any other change makes it another training.
CHANGEABLE = (
    "steps", "batch_size", "learning_rate", "discriminator_learning_rate", "final_learning_rate", "betas", "ema",
    "augment",
)  # fmt: skip


def _always() -> bool:
    return True


@dataclass
class Player:
    """Networks that minimise one loss while all others are frozen."""

    networks: list[nn.Module]
    loss: Callable[[Batch], Terms]
    every: int = 1  # WGAN's generator plays every 5th step
    learning_rate: float | None = None  # None: the recipe's
    when: Callable[[], bool] = _always  # asked before each turn; 3D-GAN's discriminator rests while it wins

    def plays(self, step: int) -> bool:
        """Return whether the player takes a turn at this step; steps count from 0."""
        return (step + 1) % self.every == 0 and self.when()


def _nothing() -> None:
    return None


@dataclass
class Stage:
    """Players that take turns during a share of the steps."""

    players: dict[str, Player]
    share: float = 1.0
    on_start: Callable[[], None] = _nothing  # grow a resolution, start the encoder's phase ...


TOLERANCE = 1e-4  # between PyTorch and ONNX Runtime, for values in -1..1; for larger ones, of the largest


@dataclass
class Servable:
    """A network and the meaning of its tensors, to be exported as one ONNX file."""

    network: nn.Module
    inputs: tuple[InputTensor, ...]
    outputs: tuple[OutputTensor, ...]
    task: Task
    description: str
    # The highest values of scalars in `examples`, where not their own, and how far the exported file may then differ
    # from PyTorch: each step of a descent multiplies what rounding differs. Without a step, the usual tolerance holds.
    highest: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    def examples(self, count: int, seed: int = 0, size: tuple[int, int] | None = None) -> tuple[Tensor, ...]:
        """Return random inputs, each of shape (count, ...), like those that the network gets when served.

        Images of any size have `size` (height, width), by default the first of `sizes`.
        """
        stream, inputs = np.random.RandomState(seed), [self._limited(tensor) for tensor in self.inputs]
        arrays = (tensor.examples(stream, count, *(size or self.sizes[0])) for tensor in inputs)
        return tuple(torch.from_numpy(array.astype(tensor.dtype)) for tensor, array in zip(inputs, arrays, strict=True))

    @property
    def without_steps(self) -> Servable:
        """The same with all scalars of `highest` at their lowest in `examples`, and the usual tolerance."""
        lowest = {tensor.name: tensor.low for tensor in self.inputs if tensor.name in self.highest}
        return replace(self, highest=lowest, tolerance=TOLERANCE)

    def _limited(self, tensor: InputTensor) -> InputTensor:
        if isinstance(tensor, Scalar) and tensor.name in self.highest:
            return replace(tensor, high=self.highest[tensor.name], default=tensor.low)
        return tensor

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Heights and widths to test images of any size with: high, square and wide."""
        multiple = math.lcm(*(tensor.multiple for tensor in self.inputs if isinstance(tensor, Image)))
        side = smallest_side(multiple)
        return [(3 * side, side + multiple), (side, side), (side + multiple, 2 * side)]


class Game(nn.Module):
    """Networks, the players that train them, and the models to ship: what the training loop works on."""

    # Whether a turn is the same computation at every step of a stage, so that a GPU can record and replay it.
    repeats: ClassVar[bool] = False
    settings: Recipe

    def __init__(self, settings: Recipe) -> None:
        super().__init__()
        self.settings = settings
        self.diagnostics: dict[str, Tensor] = {}  # values to log besides the losses

    def stages(self) -> list[Stage]:
        """Return the stages of the training, in order."""
        raise NotImplementedError

    def before_training(self) -> None:
        """Run once before a training, but not on the average of the networks or on a loaded training."""

    def after_step(self, progress: float) -> None:
        """Run after every step; `progress` goes from 0 to 1 within the stage."""

    def evaluation_case(self, part: str, dataset: Dataset) -> EvaluationCase | None:
        """Return what an image-to-image model is scored on; `part` is its name in `servables`."""
        return None

    def servables(self) -> dict[str, Servable]:
        """Return the models to ship, by name: "" is the variant itself, "part" becomes the model `<variant>-part`."""
        raise NotImplementedError


class GAN(Game):
    """The unconditional game of two players; a variant overrides what its paper changes.

    A subclass sets `recipe` and `paper`, and builds `generator` and `discriminator` from the `DataSpec`.
    """

    recipe: ClassVar[Recipe]
    presets: ClassVar[Mapping[str, Recipe]] = {}  # recipes of further models, called `<variant>-<name>`
    paper: ClassVar[Paper]
    differences: ClassVar[str] = ""  # from the paper, for the model card
    scored_by: ClassVar[Literal["task", "own"]] = "task"  # "own": by `own_scores` alone, such as music
    adversarial: losses.Adversarial = losses.non_saturating
    latent_size: ClassVar[int] = 64
    discriminator_steps: ClassVar[int] = 1
    repeats = True

    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, spec: DataSpec, recipe: Recipe | None = None) -> None:
        super().__init__(recipe or self.recipe)
        self.spec = spec
        self.augmentations = augment.find(self.settings.augment)

    def before_training(self) -> None:
        if self.augmentations:
            self.discriminator.register_forward_pre_hook(self._augment_inputs)

    def source(self, dataset: Dataset) -> BatchSource:
        """Return the batches to train on; a variant may use a part of the data set, or combine it in another way."""
        return dataset

    def normal(self, dataset: Dataset) -> Tensor:
        """Return whether each image is of the kind to learn from (N,); all are, unless a variant learns one class."""
        return torch.ones(len(dataset.images), dtype=torch.bool)

    def seen(self, images: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [-1, 1] as the networks see them; a variant may change their contrast."""
        return images

    def latent(self, batch: Batch) -> Tensor:
        """Return standard normal noise (N, latent_size) for a batch of N."""
        return distributed.own_share(torch.randn, len(batch["image"]), self.latent_size, like=batch["image"])

    def uniform(self, batch: Batch, *shape: int) -> Tensor:
        """Return uniform noise in [0, 1) of shape (N, *shape) for a batch of N."""
        return distributed.own_share(torch.rand, len(batch["image"]), *shape, like=batch["image"])

    def fake(self, batch: Batch) -> Tensor:
        """Return generated images (N, C, H, W) for a batch of N."""
        images: Tensor = self.generator(self.latent(batch))
        return images

    def discriminator_loss(self, batch: Batch) -> Terms:
        """Return the terms that the discriminator minimises."""
        real, fake = self.discriminator(batch["image"]), self.discriminator(self.fake(batch))
        self.record_diagnostics(real, fake)
        return {"adversarial": self.adversarial.discriminator(real, fake)}

    def generator_loss(self, batch: Batch) -> Terms:
        """Return the terms that the generator minimises."""
        return {"adversarial": self.adversarial.generator(self.discriminator(self.fake(batch)))}

    def record_diagnostics(self, real: Tensor, fake: Tensor) -> None:
        """Record D's mean prediction for real and for generated images, from logits of any shape.

        They are probabilities where the loss has them, which drift towards 0.5 in a healthy game, and otherwise scores.
        """
        probability = self.adversarial.probability
        name, read = ("D", probability) if probability else ("score", Tensor.float)
        self.diagnostics = {
            f"{name}(real)": read(real.detach()).mean(),
            f"{name}(fake)": read(fake.detach()).mean(),
        }

    def augmented(self, images: Tensor) -> Tensor:
        """Return images (N, C, H, W) with the augmentations that the discriminator is trained on."""
        return augment.apply(images, self.augmentations) if self.discriminator.training else images

    def _augment_inputs(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Augment the images among the discriminator's inputs, in every call; labels stay unchanged."""
        return tuple(self.augmented(value) if value.dim() == 4 else value for value in inputs)

    def gradient_norms(self, points: Tensor) -> Tensor:
        """Return |dD/dx| (N,) at the augmented points (N, C, H, W).

        The points are augmented first; the discriminator is then differentiated without its augmentation. The game
        compares augmented images. Each augmentation is affine, so an augmented point between two images lies between
        the two augmented images, where a critic's gradient should have norm 1. Through the augmentation, the same
        gradient would be too long under a high contrast and too short behind a cutout.
        """
        return losses.gradient_norms(self.discriminator.forward, self.augmented(points))  # `forward` calls no hooks

    def gradient_penalty(self, points: Tensor, slope: float = 1.0) -> Tensor:
        """Penalise gradients at the points (N, C, H, W) whose norm is not `slope`; record the mean norm."""
        norms = self.gradient_norms(points)
        self.diagnostics["gradient_norm"] = norms.detach().mean()
        return losses.gradient_penalty(norms, slope)

    def stages(self) -> list[Stage]:
        discriminator = Player(
            [self.discriminator], self.discriminator_loss, learning_rate=self.settings.discriminator_learning_rate
        )
        generator = Player([self.generator], self.generator_loss, every=self.discriminator_steps)
        return [Stage({"discriminator": discriminator, "generator": generator})]

    @classmethod
    def own_scores(cls, context: EvaluationContext) -> list[Score]:
        """Return scores that no other variant has, of the model that `context.part` names."""
        return []

    def servables(self) -> dict[str, Servable]:
        return {
            "": Servable(
                self.generator,
                inputs=(Latent(name="latent", size=self.latent_size),),
                outputs=(self.spec.tensor,),
                task="unconditional",
                description=f"Draws one {self.spec.example} from noise.",
            )
        }
