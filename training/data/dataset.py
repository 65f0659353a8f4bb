"""Data sets in memory, and the batches drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from gan_serve.errors import Failure, UsageError
from gan_serve.metadata import Data
from gan_serve.schema import decode
from gan_serve.tensors import Image, OutputTensor
from training import distributed
from training.data.catalog import SOURCES

Tensors = dict[str, Tensor]  # by the names of a model's inputs and outputs
Batch = Tensors  # image label ...
Terms = dict[str, Tensor]  # named, already weighted; their sum is minimised, each one is logged


@dataclass(frozen=True)
class DataSpec:
    """What a variant needs to know about its data to build its networks."""

    tensor: OutputTensor  # one example
    classes: tuple[str, ...]
    traits: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)  # the possible choices for each

    @classmethod
    def of_images(cls, channels: int, size: int, classes: tuple[str, ...]) -> Self:
        """Describe square images with sides of `size` pixels."""
        return cls(Image(name="image", channels=channels, height=size, width=size), classes)  # type: ignore[arg-type]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the spec that a checkpoint recorded; older ones know images only."""
        return cls.of_images(**document) if "channels" in document else decode(cls, document)

    def __str__(self) -> str:
        names = ", ".join(self.classes[:5]) + (", ..." if len(self.classes) > 5 else "")
        look = self.tensor.look if isinstance(self.tensor, Image) else self.tensor.kind
        return f"{len(self.classes)} class{'es' * (len(self.classes) > 1)} ({names}), {look}"

    @property
    def example(self) -> str:
        """One example in words."""
        return f"{self.size}x{self.size} image" if isinstance(self.tensor, Image) else self.tensor.kind

    @property
    def image(self) -> Image:
        """Such an image as a tensor.

        Raises:
            UsageError: the data is not images.
        """
        if not isinstance(self.tensor, Image):
            raise UsageError(f"these networks need images, and this data is of the kind {self.tensor.kind}")
        return self.tensor

    @property
    def channels(self) -> int:
        """The colours of an image; raises as `image` does."""
        return self.image.channels

    @property
    def size(self) -> int:
        """The side of a square image in pixels; raises as `image` does."""
        assert self.image.width
        return self.image.width

    def check_multiple(self, side: int) -> None:
        """Refuse images whose side the networks cannot halve and double again.

        Raises:
            UsageError: the images' side is no multiple of `side`.
        """
        if self.size % side:
            raise UsageError(f"these networks need images whose side is a multiple of {side} pixels, not {self.size}")

    def check_classes(self) -> None:
        """Refuse images of a single class, which teach class-conditional networks nothing.

        Raises:
            UsageError: there is only one class.
        """
        if len(self.classes) < 2:
            raise UsageError(
                f"these networks need images of several classes, but all images are of the class {self.classes[0]}; "
                "put the images into one folder per class, or train a model without labels, such as dcgan"
            )


class BatchSource(Protocol):
    """A stream of training batches."""

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield batches without end; a step's examples depend only on the seed and the step's number."""


@dataclass(frozen=True)
class Traits:
    """The traits of each image in a composed data set."""

    values: Tensor  # int64 (N, T): the number of the choice for each trait
    choices: dict[str, tuple[str, ...]]  # the possible choices for each trait


@dataclass(frozen=True)
class Dataset:
    """Images as bytes in memory; they are shuffled when batches are drawn."""

    name: str
    images: Tensor  # uint8 (N, C, H, W); of another kind than images, uint8 or float32 (N, ...)
    labels: Tensor  # int64 (N,)
    classes: tuple[str, ...]
    license: str
    attribution: str
    traits: Traits | None = None
    views: Mapping[str, Tensor] = field(default_factory=dict)  # other images of the same shape, by name
    columns: Mapping[str, Tensor] = field(default_factory=dict)  # (N, ...) of any type: what else batches contain
    pairs: bool = True  # whether each view shows the same objects in the same order, or is an independent set
    tensor: OutputTensor | None = None  # one example, if it is not an image
    photos: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)  # uint8 (C, H, W), for scoring only
    held_out: int = 0  # images held out for the test, if the data has no test part of its own

    @property
    def spec(self) -> DataSpec:
        """Describe the data for building networks."""
        if self.tensor:
            return DataSpec(self.tensor, self.classes)
        spec = DataSpec.of_images(channels=self.images.shape[1], size=self.images.shape[2], classes=self.classes)
        return replace(spec, traits=self.traits.choices) if self.traits else spec

    @property
    def data(self) -> Data:
        """Describe the data set for a model's metadata."""
        return Data(name=self.name, images=len(self.images), license=self.license, attribution=self.attribution)

    @property
    def mirrored(self) -> bool:
        """Return whether mirrored images are known to be as plausible as the originals."""
        return self.name in SOURCES and SOURCES[self.name].mirrored

    def rows(self, chosen: slice | Tensor) -> Dataset:
        """Return a data set of the chosen images."""
        traits = self.traits and replace(self.traits, values=self.traits.values[chosen])
        views, columns = (
            {name: values[chosen] for name, values in each.items()} for each in (self.views, self.columns)
        )
        images, labels = self.images[chosen], self.labels[chosen]
        return replace(self, images=images, labels=labels, traits=traits, views=views, columns=columns)

    def unpaired(self) -> Unpaired:
        """Return batches in which images and views are drawn independently."""
        return Unpaired(self)

    def crops(self, size: int) -> Crops:
        """Return batches of random square crops of side `size`."""
        return Crops(self, size)

    def partly_labelled(self, known: int) -> PartlyLabelled:
        """Return batches of the same images, `known` of them with labels."""
        return PartlyLabelled(self, known)

    def check_batch(self, batch_size: int) -> int:
        """Return the size of the global batch, that of all processes together.

        Raises:
            Failure: the data set has fewer images.
        """
        global_batch = batch_size * distributed.world_size()
        if global_batch > len(self.images):
            raise Failure(
                f"{self.name} has {len(self.images)} images, fewer than one batch of {global_batch}; lower --batch-size"
            )
        return global_batch

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield this process's share of batches: `image` and the views in [-1, 1], `label`, and `columns` unchanged.

        `image` is the example, whatever its kind. Data with traits has them as `traits` (N, T).

        The images of step n depend only on the seed and n, so that a resumed training sees the same batches.
        """
        global_batch = self.check_batch(batch_size)
        steps_per_epoch = len(self.images) // global_batch
        images = {"image": self.images, **self.views}
        values = {**images, "label": self.labels, **self.columns}
        if self.traits:
            values["traits"] = self.traits.values
        columns = {name: column.to(device) for name, column in values.items()}
        epoch, step = divmod(first_step, steps_per_epoch)
        while True:
            order = torch.randperm(len(self.images), generator=random_at(seed, epoch))
            for position in range(step, steps_per_epoch):
                first = position * global_batch + distributed.rank() * batch_size
                chosen = order[first : first + batch_size].to(device)
                batch = {name: column[chosen] for name, column in columns.items()}
                yield batch | {name: to_signed(batch[name]) for name in images}
            epoch, step = epoch + 1, 0


@dataclass(frozen=True)
class Unpaired:
    """A data set whose views are shuffled independently of its images."""

    dataset: Dataset

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield batches with `image` and each view, which show different objects."""
        images = replace(self.dataset, views={}).batches(batch_size, seed, device, first_step)
        others = {
            view: self._alone(view).batches(batch_size, -1 - seed, device, first_step) for view in self.dataset.views
        }
        for batch in images:
            yield batch | {view: next(stream)["image"] for view, stream in others.items()}

    def _alone(self, view: str) -> Dataset:
        """Return a view as a data set of its own."""
        images = self.dataset.views[view]
        labels = torch.zeros(len(images), dtype=torch.int64)
        name = f"{self.dataset.name} ({view})"
        return replace(self.dataset, name=name, images=images, labels=labels, traits=None, views={}, columns={})


@dataclass(frozen=True)
class Crops:
    """A data set of larger images whose batches are square crops at random positions, every other batch mirrored."""

    dataset: Dataset
    size: int  # pixels

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield the data set's batches, cropped; the positions depend only on the seed and the step."""
        global_batch, first = batch_size * distributed.world_size(), batch_size * distributed.rank()
        positions = self.dataset.images.shape[-1] - self.size + 1
        for step, batch in enumerate(self.dataset.batches(batch_size, seed, device, first_step), first_step):
            random = random_at(seed, step)
            corners = torch.randint(positions, (global_batch, 2), generator=random)[first : first + batch_size].tolist()
            cropped = [
                image[:, top : top + self.size, left : left + self.size]
                for image, (top, left) in zip(batch["image"], corners, strict=True)
            ]
            images = torch.stack(cropped)
            yield batch | {"image": mirrored_at(step, images)}


@dataclass(frozen=True)
class PartlyLabelled:
    """A data set of which only some labels are known, equally many of each class; the seed decides which."""

    dataset: Dataset
    known: int

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield batches with unlabelled images in `image`, and as many in `labelled` with their `label`.

        Raises:
            Failure: the known labels cannot be divided equally among the classes, or a class has too few images.
        """
        images, labels = self._labelled(seed)
        global_batch = batch_size * distributed.world_size()
        first = distributed.rank() * batch_size
        for step, batch in enumerate(self.dataset.batches(batch_size, seed, device, first_step), first_step):
            random = random_at(seed, step)
            chosen = torch.randint(len(images), (global_batch,), generator=random)[first : first + batch_size]
            labelled = to_signed(images[chosen].to(device))
            yield {"image": batch["image"], "labelled": labelled, "label": labels[chosen].to(device)}

    def _labelled(self, seed: int) -> tuple[Tensor, Tensor]:
        each, rest = divmod(self.known, len(self.dataset.classes))
        if rest or not each:
            raise Failure(
                f"{self.known} labels cannot be divided equally among {len(self.dataset.classes)} classes; "
                "choose a multiple of the number of classes"
            )
        order = torch.randperm(len(self.dataset.images), generator=torch.Generator().manual_seed(seed))
        chosen = torch.cat(
            [order[self.dataset.labels[order] == label][:each] for label in range(len(self.dataset.classes))]
        )
        if len(chosen) < self.known:
            raise Failure(f"{self.dataset.name} has a class with fewer than {each} images; lower the number of labels")
        return self.dataset.images[chosen], self.dataset.labels[chosen]


def random_at(seed: int, step: int) -> torch.Generator:
    """Return the random generator of a step or an epoch, independent of those before it."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def mirrored_at(step: int, images: Tensor) -> Tensor:
    """Return images (N, C, H, W), mirrored in every other step."""
    return images.flip(-1) if step % 2 else images


def to_signed(images: Tensor) -> Tensor:
    """Convert bytes 0..255 to float32 -1..1; return floating-point numbers unchanged."""
    return images if images.is_floating_point() else images.float().div_(127.5).sub_(1)
