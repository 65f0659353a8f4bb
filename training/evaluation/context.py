"""One exported model under evaluation: all that a scorer, and a variant's own scores, are computed from."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.repository import Model
from gan_serve.sampling import Arrays
from training.data.dataset import Dataset, Tensors, to_signed
from training.evaluation.classifier import EvaluationClassifier
from training.evaluation.segmenter import Segmenter
from training.gan import GAN
from training.inference import open_network, run_in_batches
from training.metrics.prediction import Prediction
from training.scoring import EvaluationCase

SEED = 1  # of the generated images; the sample in the card has another
CASE_IMAGES = 1_000  # that an image-to-image model is scored on
BATCH = 20  # rows of a run


@dataclass
class Evaluation:
    """An exported model and what to compare it with; an `EvaluationContext` for the variant's own scores."""

    model: Model
    untrained: Model  # the same networks before their first step: the control
    gan: GAN  # the untrained networks in PyTorch
    part: str  # the model's name in `gan.servables()`
    train: Dataset
    test: Dataset
    count: int  # of the images that are generated, and at most of the real ones that they are compared with
    source: str | None = None  # where the data is, if not under its known name

    @property
    def control(self) -> Evaluation:
        """The evaluation of the untrained model. It keeps what is computed of the real images."""
        twin = copy(self)
        twin.model = self.untrained
        return twin

    @cached_property
    def classifier(self) -> EvaluationClassifier:
        """The classifier of the data.

        Raises:
            UsageError: there is none.
        """
        return EvaluationClassifier.of(self.test, self.source)

    @cached_property
    def images(self) -> Tensor:
        """The test images, (N, C, H, W) in [-1, 1]."""
        return to_signed(self.test.images[: self.count])

    @cached_property
    def real(self) -> Prediction:
        """The classifier's prediction for the test images."""
        return self.predict(self.images)

    @cached_property
    def case(self) -> EvaluationCase:
        """The variant's case for this model, cut to the images that are scored.

        Raises:
            UsageError: the variant has none.
        """
        case = self.gan.evaluation_case(self.part, self.test)
        if case is None:
            raise no_protocol(self.model.metadata.name, self.model.metadata.task)
        return case.rows(slice(CASE_IMAGES))

    def predict(self, images: Tensor, data: str | None = None) -> Prediction:
        """Classify images (N, C, H, W) in [-1, 1] by the classifier of this data, or of other data."""
        classifier = EvaluationClassifier(data) if data else self.classifier
        return classifier.predict(images.numpy())

    def segment(self, images: Tensor) -> Tensor:
        """Return the class of each pixel of images (N, C, H, W) in [-1, 1] by the segmenter of this data: (N, H, W)."""
        return Segmenter(self.test.name).predict(images)

    def run(self, inputs: Tensors) -> Tensors:
        """Run the graph on its inputs (N, ...) by name; return its outputs by name."""
        session = open_network(self.model.content, str(self.model.path))
        names = [tensor.name for tensor in self.model.metadata.outputs]
        arrays = run_in_batches(session, {name: rows.numpy() for name, rows in inputs.items()}, names, BATCH)
        return _as_tensors(dict(zip(names, arrays, strict=True)))

    def generate(self, change: Callable[[Tensors], Tensors] | None = None, /, **inputs: Any) -> tuple[Tensors, Tensors]:
        """Run the model for many images; return its inputs without the latents, and its outputs."""
        generator = _ChangedInputs(self.model, change) if change else Generator(self.model)
        result = generator.generate(self.count, seed=SEED, **inputs)
        chosen = {name: torch.tensor([item.inputs[name] for item in result.items]) for name in result.items[0].inputs}
        return chosen, _as_tensors(result.outputs)


def no_protocol(name: str, task: str) -> UsageError:
    """Return the error for a model that no scorer can score."""
    return UsageError(f"{name}: no protocol is known for the task {task}")


class _ChangedInputs(Generator):
    """A generator that changes the inputs of its graph after they are sampled."""

    def __init__(self, model: Model, change: Callable[[Tensors], Tensors]) -> None:
        super().__init__(model)
        self._change = change

    def infer(self, arrays: Arrays) -> Arrays:
        return super().infer({name: value.numpy() for name, value in self._change(_as_tensors(arrays)).items()})


def _as_tensors(arrays: Arrays) -> Tensors:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
