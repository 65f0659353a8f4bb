"""How well a model changes one trait of an image and keeps the rest, as a classifier reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_serve.metadata import Score
from training.data.dataset import Dataset, Tensors, to_signed
from training.metrics import handwriting
from training.metrics.images import psnr
from training.metrics.probe import Probe
from training.networks import traits
from training.scoring import EvaluationContext

KEPT = "as it is"  # the last class of each label: the image's own choice
PROBED = 10_000  # training images that a probe learns a trait from

Values = NDArray[np.int64]  # (N, T): the number of the choice for each trait


@dataclass(frozen=True)
class Editing:
    """A model with an image and a label for each trait as inputs; the case changes no trait."""

    context: EvaluationContext

    def scores(self) -> list[Score]:
        """Return how often a new trait is read, how often the others are still, and what the latent keeps."""
        edits = list(self._edits())
        return [*(score for score, _ in edits), *self._others([kept for _, kept in edits]), *self._latent()]

    @cached_property
    def inputs(self) -> Tensors:
        """The test images, with nothing to edit."""
        return self.context.case.inputs

    @cached_property
    def labels(self) -> Tensors:
        """The label of each trait; its value is that of `KEPT`, the number of choices."""
        return {name: values for name, values in self.inputs.items() if name != "image"}

    @cached_property
    def probes(self) -> list[Probe]:
        """What reads each trait in the classifier's features of an image."""
        train = self.context.train.rows(slice(PROBED))
        features = self.context.predict(to_signed(train.images)).features
        return [Probe.of(features, values) for values in self.true(train).T]

    def true(self, dataset: Dataset) -> Values:
        """Return the traits of a data set's images; those of the label, if it has no others."""
        if not dataset.traits:
            return dataset.labels[:, None].numpy()
        return traits.chosen(dataset.traits.values, list(dataset.traits.choices), list(self.labels)).numpy()

    def read(self, images: Tensor) -> Values:
        """Read the traits in images (N, C, H, W)."""
        features = self.context.predict(images).features
        return np.column_stack([probe.read(features) for probe in self.probes])

    def drawn(self, **changed: Tensor) -> Tensor:
        """Return what the model draws for the test images, with some inputs changed: (N, C, H, W)."""
        (images,) = self.context.run({**self.inputs, **changed}).values()
        return images

    @cached_property
    def truth(self) -> Values:
        """The traits of the test images."""
        return self.true(self.context.test.rows(slice(len(self.inputs["image"]))))

    def _edits(self) -> Iterator[tuple[Score, NDArray[np.float64]]]:
        """Yield, for each trait, the score of its edit, and how often each trait is the old one afterwards."""
        seen = (self.read(self.inputs["image"]) == self.truth).mean(axis=0)
        random = torch.Generator().manual_seed(0)
        for column, (name, kept) in enumerate(self.labels.items()):
            count, old = int(kept[0]), torch.from_numpy(self.truth[:, column])
            new = (old + torch.randint(1, count, (len(old),), generator=random)) % count
            after = self.read(self.drawn(**{name: new}))
            score = Score(
                name=f"new_{name}",
                value=float((after[:, column] == new.numpy()).mean()),
                better="higher",
                description=f"share of images in which the new {name} is read that was asked for",
                real=float(seen[column]),
            )
            yield score, (after == self.truth).mean(axis=0)

    def _others(self, kept: list[NDArray[np.float64]]) -> list[Score]:
        """Return the score of the traits that an edit should not change, if there are others."""
        if len(kept) < 2:
            return []
        plain = (self.read(self.drawn()) == self.truth).mean(axis=0)
        shares = np.stack(kept) / np.maximum(plain, 1e-6)
        worst = shares[~np.eye(len(shares), dtype=bool)].min()
        text = "how often another trait is still read after an edit, as a share of that without an edit; the worst case"
        return [Score(name="others_kept", value=float(worst), better="higher", description=text)]

    def _latent(self) -> list[Score]:
        """Return what comes from z = E_z(x): the images with the right traits and the z of another image are worse."""
        images = self.inputs["image"]
        right = {name: torch.from_numpy(self.truth[:, column]) for column, name in enumerate(self.labels)}
        own, other = self.drawn(**right), self.drawn(image=images.roll(1, 0), **right)
        text = "dB by which an image drawn again, with its own traits, is nearer to it than with the latent of another"
        gain = Score(
            name="latent_gain", value=psnr(own, images) - psnr(other, images), better="higher", description=text
        )
        return [gain, *(self._strokes() if images.shape[1] == 1 else [])]

    def _strokes(self) -> list[Score]:
        """Return the correlation of the width of strokes before and after an edit."""
        images = self.inputs["image"]
        (name, kept), *_ = self.labels.items()
        new = (torch.from_numpy(self.truth[:, 0]) + 1) % int(kept[0])
        own, other = (self.drawn(image=shown, **{name: new}) for shown in (images, images.roll(1, 0)))
        return [
            Score(
                name="stroke_correlation",
                value=_correlation(images, own),
                better="higher",
                description="of the width of strokes before and after an edit",
            ),
            Score(
                name="stroke_correlation_of_others",
                value=_correlation(images, other),
                better="lower",
                description="the same, where the edit has the latent of another image",
            ),
        ]


def _correlation(before: Tensor, after: Tensor) -> float:
    widths = torch.stack([handwriting.width(before), handwriting.width(after)])
    return float(torch.corrcoef(widths)[0, 1].abs().nan_to_num())
