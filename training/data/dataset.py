"""Images in memory -> batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from gan_serve.errors import Failure, UsageError
from gan_serve.metadata import Data
from gan_serve.tensors import Image
from training import distributed
from training.data.catalog import SOURCES

Tensors = dict[str, Tensor]  # by the names of a model's inputs and outputs
Batch = Tensors  # image label ...
Terms = dict[str, Tensor]  # named, already weighted; their sum is minimised, each one is logged


@dataclass(frozen=True)
class ImageSpec:
    """What a variant needs to know of its data to build its networks."""

    channels: int
    size: int  # pixels; images are square
    classes: tuple[str, ...]

    def __str__(self) -> str:
        names = ", ".join(self.classes[:5]) + (", ..." if len(self.classes) > 5 else "")
        colours = "grey" if self.channels == 1 else "RGB"
        return f"{len(self.classes)} class{'es' * (len(self.classes) > 1)} ({names}), {self.size}x{self.size} {colours}"

    def check_multiple(self, side: int) -> None:
        """Refuse images that networks of so many halvings cannot put together again.

        Raises:
            UsageError: the side is no multiple.
        """
        if self.size % side:
            raise UsageError(f"these networks need images whose side is a multiple of {side} pixels, not {self.size}")

    def check_classes(self) -> None:
        """Refuse images of one class, of which networks that ask for a class learn nothing.

        Raises:
            UsageError: there is no second class.
        """
        if len(self.classes) < 2:
            raise UsageError(
                f"these networks need images of several classes, and all are of one, {self.classes[0]}; put them into "
                "a folder for each class, or train a model without labels, such as dcgan"
            )

    @property
    def image(self) -> Image:
        """The kind of tensor that such an image is."""
        return Image(name="image", channels=self.channels, height=self.size, width=self.size)  # type: ignore[arg-type]


class BatchSource(Protocol):
    """What a game is trained on."""

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Endless batches; which examples a step sees depends on the seed and its number alone."""


@dataclass(frozen=True)
class Traits:
    """What a composed data set says of each image besides its label."""

    values: Tensor  # int64 (N, T), the number of what was chosen for each trait
    choices: dict[str, tuple[str, ...]]  # what could be chosen for each


@dataclass(frozen=True)
class Dataset:
    """Images as bytes in memory, shuffled only when batches are drawn."""

    name: str
    images: Tensor  # uint8 (N, C, H, W)
    labels: Tensor  # int64 (N,)
    classes: tuple[str, ...]
    license: str
    attribution: str
    traits: Traits | None = None
    views: Mapping[str, Tensor] = field(default_factory=dict)  # other images
    pairs: bool = True  # whether each view shows the same things in the same order, or is a set of its own
    photos: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)  # uint8 (C, H, W), to score on
    held_out: int = 0  # images that are kept for the test, where the data has no test part of its own

    @property
    def spec(self) -> ImageSpec:
        """What networks need to know."""
        return ImageSpec(channels=self.images.shape[1], size=self.images.shape[2], classes=self.classes)

    @property
    def data(self) -> Data:
        """What a model card says of it."""
        return Data(name=self.name, images=len(self.images), license=self.license, attribution=self.attribution)

    @property
    def mirrored(self) -> bool:
        """Whether an image's mirror image might as well be in the set, so far as that is known."""
        return self.name in SOURCES and SOURCES[self.name].mirrored

    def rows(self, chosen: slice | Tensor) -> Dataset:
        """Some of the images."""
        traits = self.traits and replace(self.traits, values=self.traits.values[chosen])
        views = {view: images[chosen] for view, images in self.views.items()}
        return replace(self, images=self.images[chosen], labels=self.labels[chosen], traits=traits, views=views)

    def unpaired(self) -> Unpaired:
        """The same images, an image beside its own views only by chance."""
        return Unpaired(self)

    def crops(self, size: int) -> Crops:
        """Squares of `size` from the images."""
        return Crops(self, size)

    def partly_labelled(self, known: int) -> PartlyLabelled:
        """The same images, so many of them with their labels."""
        return PartlyLabelled(self, known)

    def check_batch(self, batch_size: int) -> int:
        """How many images all processes see in one step.

        Raises:
            Failure: there are fewer.
        """
        everyone = batch_size * distributed.world_size()
        if everyone > len(self.images):
            raise Failure(
                f"{self.name} has {len(self.images)} images, fewer than one batch of {everyone}; lower --batch-size"
            )
        return everyone

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Endless batches of this process's share: `image` in [-1, 1], `label`, the views and `traits` (N, T), if any.

        Which images step n sees depends on the seed and n alone: a resumed training sees what it would have seen.
        """
        everyone = self.check_batch(batch_size)
        steps_per_epoch = len(self.images) // everyone
        images = {"image": self.images, **self.views}
        columns = {name: column.to(device) for name, column in images.items()} | {"label": self.labels.to(device)}
        if self.traits:
            columns["traits"] = self.traits.values.to(device)
        epoch, step = divmod(first_step, steps_per_epoch)
        while True:
            order = torch.randperm(len(self.images), generator=random_at(seed, epoch))
            for position in range(step, steps_per_epoch):
                first = position * everyone + distributed.rank() * batch_size
                chosen = order[first : first + batch_size].to(device)
                batch = {name: column[chosen] for name, column in columns.items()}
                yield batch | {name: to_signed(batch[name]) for name in images}
            epoch, step = epoch + 1, 0


@dataclass(frozen=True)
class Unpaired:
    """A data set whose views come in an order of their own."""

    dataset: Dataset

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Batches with `image`, and each view of other things."""
        images = replace(self.dataset, views={}).batches(batch_size, seed, device, first_step)
        others = {
            view: self._alone(view).batches(batch_size, -1 - seed, device, first_step) for view in self.dataset.views
        }
        for batch in images:
            yield batch | {view: next(stream)["image"] for view, stream in others.items()}

    def _alone(self, view: str) -> Dataset:
        """A view as a data set of its own."""
        images = self.dataset.views[view]
        labels = torch.zeros(len(images), dtype=torch.int64)
        name = f"{self.dataset.name} ({view})"
        return replace(self.dataset, name=name, images=images, labels=labels, traits=None, views={})


@dataclass(frozen=True)
class Crops:
    """A data set of larger images, of which batches show squares at random places, every other batch mirrored."""

    dataset: Dataset
    size: int  # pixels

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Batches as the data set has them; where they are cropped depends on the seed and the step alone."""
        everyone, first = batch_size * distributed.world_size(), batch_size * distributed.rank()
        places = self.dataset.images.shape[-1] - self.size + 1
        for step, batch in enumerate(self.dataset.batches(batch_size, seed, device, first_step), first_step):
            random = random_at(seed, step)
            corners = torch.randint(places, (everyone, 2), generator=random)[first : first + batch_size].tolist()
            cropped = [
                image[:, top : top + self.size, left : left + self.size]
                for image, (top, left) in zip(batch["image"], corners, strict=True)
            ]
            images = torch.stack(cropped)
            yield batch | {"image": mirrored_at(step, images)}


@dataclass(frozen=True)
class PartlyLabelled:
    """A data set of which only some labels are known, as many of each class; the seed decides which."""

    dataset: Dataset
    known: int

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Batches with `image`, unlabelled, and of the same size `labelled` with the `label` of each.

        Raises:
            Failure: a class has fewer images than labels shall be known.
        """
        images, labels = self._labelled(seed)
        everyone = batch_size * distributed.world_size()
        first = distributed.rank() * batch_size
        for step, batch in enumerate(self.dataset.batches(batch_size, seed, device, first_step), first_step):
            random = random_at(seed, step)
            chosen = torch.randint(len(images), (everyone,), generator=random)[first : first + batch_size]
            labelled = to_signed(images[chosen].to(device))
            yield {"image": batch["image"], "labelled": labelled, "label": labels[chosen].to(device)}

    def _labelled(self, seed: int) -> tuple[Tensor, Tensor]:
        each, rest = divmod(self.known, len(self.dataset.classes))
        if rest or not each:
            raise Failure(f"{self.known} labels are not as many of each of {len(self.dataset.classes)} classes")
        order = torch.randperm(len(self.dataset.images), generator=torch.Generator().manual_seed(seed))
        chosen = torch.cat(
            [order[self.dataset.labels[order] == label][:each] for label in range(len(self.dataset.classes))]
        )
        if len(chosen) < self.known:
            raise Failure(f"{self.dataset.name} has a class of fewer than {each} images")
        return self.dataset.images[chosen], self.dataset.labels[chosen]


def random_at(seed: int, step: int) -> torch.Generator:
    """What is random in a step, or an epoch: the same, whatever came before it."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def mirrored_at(step: int, images: Tensor) -> Tensor:
    """Images (N, C, H, W), mirrored in every other step."""
    return images.flip(-1) if step % 2 else images


def to_signed(images: Tensor) -> Tensor:
    """Bytes 0..255 -> float32 -1..1."""
    return images.float().div_(127.5).sub_(1)
