"""The evaluation case that a variant defines, and the context from which it computes its own scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from torch import Tensor

from training.data.dataset import Dataset, Tensors
from training.metrics.prediction import Prediction

PATCH = 32  # pixels; the side of the patches that `patch_fcd` compares


@dataclass(frozen=True)
class EvaluationCase:
    """Inputs for an image-to-image model, the images that it should produce, and the metrics that compare them."""

    inputs: Tensors  # (N, ...) each, by the names of the model's inputs
    truth: Tensor  # (N, C, H, W) in [-1, 1]
    metrics: tuple[str, ...]  # names in training/evaluation/image_to_image.py
    baselines: Tensors = field(default_factory=dict)  # (N, C, H, W), by name: results that need no network
    region: tuple[slice, slice] = (slice(None), slice(None))  # the rows and columns that are compared

    def rows(self, chosen: slice | Tensor) -> EvaluationCase:
        """Return the case for some of its images."""
        inputs, baselines = (
            {name: images[chosen] for name, images in each.items()} for each in (self.inputs, self.baselines)
        )
        return replace(self, inputs=inputs, truth=self.truth[chosen], baselines=baselines)

    def compared(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return images (N, C, H, W) and the truth, both cropped to the region."""
        rows, columns = self.region
        return images[:, :, rows, columns], self.truth[:, :, rows, columns]


class EvaluationContext(Protocol):
    """An exported model, the data to compare it with, and the classifiers of such data."""

    @property
    def part(self) -> str:
        """The model's name among the variant's `servables`."""

    @property
    def train(self) -> Dataset:
        """The training data."""

    @property
    def test(self) -> Dataset:
        """The test data."""

    @property
    def case(self) -> EvaluationCase:
        """The variant's case for this model, cut to the images that are scored."""

    @property
    def images(self) -> Tensor:
        """The test images, (N, C, H, W) in [-1, 1]."""

    @property
    def real(self) -> Prediction:
        """The classifier's prediction for the test images."""

    def predict(self, images: Tensor, data: str | None = None) -> Prediction:
        """Classify images (N, C, H, W) in [-1, 1] by the classifier of this data, or of other data."""

    def segment(self, images: Tensor) -> Tensor:
        """Return the class of each pixel of images (N, C, H, W) in [-1, 1] by the segmenter of this data: (N, H, W)."""

    def run(self, inputs: Tensors) -> Tensors:
        """Run the graph on its inputs (N, ...) by name; return its outputs by name."""

    def generate(
        self, change: Callable[[Tensors], Tensors] | None = None, /, **inputs: object
    ) -> tuple[Tensors, Tensors]:
        """Run the model for many images; return its inputs without the latents, and its outputs.

        An omitted input has the value that it has when served. `change` replaces all inputs, among them the latents
        (N, Z), before the model runs.
        """
