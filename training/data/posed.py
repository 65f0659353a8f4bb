"""Batches of two images of one character, for networks that change its pose."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from gan_serve.errors import Failure
from training import distributed
from training.data.dataset import Batch, Dataset, random_at, to_signed


class Characters:
    """Which images of a data set show the same character: those with the same traits.

    Raises:
        Failure: the images have no traits.
    """

    def __init__(self, dataset: Dataset) -> None:
        if dataset.traits is None:
            raise Failure(f"{dataset.name}: has no traits; they say which images show the same character")
        _, self.who, self.counts = torch.unique(dataset.traits.values, return_inverse=True, return_counts=True, dim=0)
        self.order = self.who.argsort(stable=True)  # the images of each character, one after the other
        self.first = self.counts.cumsum(0) - self.counts  # of each character, in that order
        self.places = self.order.argsort() - self.first[self.who]  # of each image among those of its character

    def partners(self, rows: Tensor, uniform: Tensor) -> Tensor:
        """Return for each row (N,) another one of its character, if any, chosen by uniform numbers (N,) in [0, 1)."""
        who = self.who[rows]
        steps = 1 + (uniform * (self.counts[who] - 1)).long()
        partners: Tensor = self.order[self.first[who] + (self.places[rows] + steps) % self.counts[who]]
        return partners


@dataclass(frozen=True)
class Posed:
    """A data set of characters in several poses, which are its classes."""

    dataset: Dataset
    characters: Characters

    def batches(self, batch_size: int, seed: int, device: torch.device, first_step: int = 0) -> Iterator[Batch]:
        """Yield random images as `image`, with `label` and views, and as `source` their characters in other poses.

        The images of step n depend only on the seed and n.
        """
        global_batch = self.dataset.check_batch(batch_size)
        first = distributed.rank() * batch_size
        for step in count(first_step):
            uniform = torch.rand(global_batch, 2, generator=random_at(seed, step))[first : first + batch_size]
            rows = (uniform[:, 0] * len(self.dataset.images)).long()
            images = {
                "image": self.dataset.images[rows],
                "source": self.dataset.images[self.characters.partners(rows, uniform[:, 1])],
                **{name: view[rows] for name, view in self.dataset.views.items()},
            }
            signed = {name: to_signed(pixels.to(device)) for name, pixels in images.items()}
            yield signed | {"label": self.dataset.labels[rows].to(device)}
