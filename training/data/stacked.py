"""Three grey images as the channels of one image: a data set with as many modes as there are triples of classes."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from training import distributed
from training.data.dataset import Batch, Dataset, random_at, to_signed

CHANNELS = 3


@dataclass(frozen=True, kw_only=True)
class Stacked(Dataset):
    """Stacked images (N, 3, H, W); the label numbers the triple: 273 is a two, a seven and a three."""

    triples: Tensor  # int64 (N, 3): what each channel shows

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Endless batches of this process's share, of channels combined anew: `image` in [-1, 1] and `label`.

        Which channels step n combines depends on the seed and n alone.
        """
        images, triples, channels = (part.to(device) for part in (self.images, self.triples, torch.arange(CHANNELS)))
        everyone, first = batch_size * distributed.world_size(), batch_size * distributed.rank()
        for step in itertools.count(first_step):
            random = random_at(seed, step)
            drawn = torch.randint(len(images), (everyone, CHANNELS), generator=random)
            chosen = drawn[first : first + batch_size].to(device)
            label = number(triples[chosen, channels], round(len(self.classes) ** (1 / CHANNELS)))
            yield {"image": to_signed(images[chosen, channels]), "label": label}


def stacked(dataset: Dataset) -> Stacked:
    """Every image of a grey data set once in each channel, in an order that is always the same."""
    orders = [_order(len(dataset.images), channel) for channel in range(CHANNELS)]
    triples = torch.stack([dataset.labels[order] for order in orders], dim=1)
    return Stacked(
        name=f"stacked_{dataset.name}",
        images=torch.cat([dataset.images[order] for order in orders], dim=1),
        labels=number(triples, len(dataset.classes)),
        classes=tuple(map("".join, itertools.product(dataset.classes, repeat=CHANNELS))),
        license=dataset.license,
        attribution=dataset.attribution,
        triples=triples,
    )


def number(triples: Tensor, classes: int) -> Tensor:
    """Triples of labels (N, 3), each below `classes` -> their numbers (N,), the first channel's digit in front."""
    return (triples[:, 0] * classes + triples[:, 1]) * classes + triples[:, 2]


def _order(count: int, channel: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(channel))
