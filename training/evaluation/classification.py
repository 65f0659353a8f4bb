"""Score a model that recognises images: how often it is wrong on the test set."""

import numpy as np
from numpy.typing import NDArray

from gan_serve.metadata import Score
from gan_serve.repository import Model
from gan_serve.tensors import Probabilities
from training.data.dataset import Dataset, Tensors, to_signed
from training.inference import open_network, run_in_batches
from training.metrics import distribution

BATCH = 500


def scores(model: Model, untrained: Model, test: Dataset) -> list[Score]:
    """For each output that sorts images: the error, or where its classes are not the data's own, that of clustering."""
    return [
        _score(tensor, _guesses(model, tensor, test), _guesses(untrained, tensor, test), test)
        for tensor in model.metadata.outputs
        if isinstance(tensor, Probabilities)
    ]


def protocol(test: Dataset) -> str:
    """What the scores were measured on."""
    return f"All {len(test.images):,} test images, one training. Control: the untrained network."


def _score(tensor: Probabilities, guesses: NDArray[np.int64], control: NDArray[np.int64], test: Dataset) -> Score:
    labels = test.labels.numpy()
    if set(tensor.classes) == set(test.classes):
        places = np.array([test.classes.index(name) for name in tensor.classes])
        guesses, control = places[guesses], places[control]
        name, measure = "test_error", distribution.error
        description = "share of the test images that are not recognised"
    else:
        name, measure = "clustering_error", distribution.clustering_error
        description = "share of wrong test images where each category is taken for one class, as well as can be"
    return Score(
        name=name,
        value=round(measure(guesses, labels), 4),
        better="lower",
        description=description,
        control=round(measure(control, labels), 4),
    )


def _guesses(model: Model, tensor: Probabilities, test: Dataset) -> NDArray[np.int64]:
    """The most probable class of each test image."""
    (image,) = model.metadata.inputs
    guesses: NDArray[np.int64] = answers(model, tensor.name, {image.name: to_signed(test.images)}).argmax(axis=1)
    return guesses


def answers(model: Model, output: str, inputs: Tensors, batch: int = BATCH) -> NDArray[np.float32]:
    """One output of a model, for its inputs (N, ...), so many rows at a time."""
    session = open_network(model.content, str(model.path))
    (found,) = run_in_batches(session, {name: rows.numpy() for name, rows in inputs.items()}, [output], batch)
    return found
