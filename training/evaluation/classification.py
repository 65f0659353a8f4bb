"""Score a model that classifies images by its errors on the test set."""

import numpy as np
from numpy.typing import NDArray

from gan_serve.metadata import Score
from gan_serve.repository import Model
from gan_serve.tensors import Probabilities
from training.data.dataset import Dataset, to_signed
from training.evaluation import scores as table
from training.evaluation.context import Evaluation
from training.inference import run_model
from training.metrics import distribution

NEEDS_CLASSIFIER = False


def scores(context: Evaluation) -> list[Score]:
    """Return the error of each output that classifies; its clustering error where its classes are not the data's."""
    return [_score(tensor, context) for tensor in context.model.metadata.outputs if isinstance(tensor, Probabilities)]


def protocol(context: Evaluation) -> str:
    """Describe what the scores were measured on."""
    return f"All {len(context.test.images):,} test images, one training. Control: the untrained network."


def _score(tensor: Probabilities, context: Evaluation) -> Score:
    test, labels = context.test, context.test.labels.numpy()
    guesses, control = (_guesses(model, tensor, test) for model in (context.model, context.untrained))
    if set(tensor.classes) == set(test.classes):
        places = np.array([test.classes.index(name) for name in tensor.classes])
        guesses, control = places[guesses], places[control]
        name, measure = "test_error", distribution.error
        description = "share of the test images that are not recognised"
    else:
        name, measure = "clustering_error", distribution.clustering_error
        description = "share of wrong test images when each category is matched with one class in the best way"
    return table.rounded(
        Score(
            name=name,
            value=measure(guesses, labels),
            better="lower",
            description=description,
            control=measure(control, labels),
        )
    )


def _guesses(model: Model, tensor: Probabilities, test: Dataset) -> NDArray[np.int64]:
    """Return the most probable class of each test image."""
    (image,) = model.metadata.inputs
    guesses: NDArray[np.int64] = run_model(model, tensor.name, {image.name: to_signed(test.images)}).argmax(axis=1)
    return guesses
