"""The evaluation classifiers in `training/judges`: their features and classes score generated images."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from gan_serve.errors import UsageError
from training import progress
from training.data.catalog import SOURCES
from training.data.dataset import Dataset
from training.evaluation.auxiliary import PROPERTY
from training.inference import open_network, run_in_batches
from training.metrics.prediction import Prediction

FOLDER = Path(__file__).parents[1] / "judges"
MAPS = "-maps"  # ends the names of the segmenters, which are in the same folder
BARELY = 0.25  # of the way from guessing to certainty: a classifier that is no better is of little use


class EvaluationClassifier:
    """The evaluation classifier of a data set; `source` is where the data is, if not under its known name.

    Raises:
        UsageError: there is none for this data.
    """

    def __init__(self, name: str, source: str | None = None, size: int | None = None) -> None:
        self.lender = SOURCES[name].judge if name in SOURCES else ""
        path = FOLDER / f"{self.lender or name}.onnx"
        self._command = training_command(source or name, size)
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.onnx") if not file.stem.endswith(MAPS)))
            raise UsageError(f"no evaluation classifier for {name}; there are {known}; train one with: {self._command}")
        content = path.read_bytes()
        properties = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
        self.facts: dict[str, Any] = json.loads(properties[PROPERTY])
        self.session = open_network(content, str(path))

    @classmethod
    def of(cls, dataset: Dataset, source: str | None) -> "EvaluationClassifier":
        """Return the classifier that was trained on this very data, and so on images like these.

        Raises:
            UsageError: there is none, or it was trained on other data of the same name.
        """
        is_folder = source is not None and Path(source).is_dir()
        classifier = cls(dataset.name, source, dataset.spec.size if is_folder else None)
        classes = classifier.facts.get("classes", list(dataset.classes))  # older files do not record them
        if classes != list(dataset.classes):
            raise UsageError(
                f"the evaluation classifier of {dataset.name} was trained on other data of that name, with the classes "
                f"{', '.join(classes)}; rename the data, or train a classifier with: {classifier._command} --replace"
            )
        classifier.check(tuple(dataset.images.shape[1:]))
        warn_if_poor(classifier.facts)
        return classifier

    def check(self, shape: tuple[int, ...]) -> None:
        """Check that images (C, H, W) have the size and the colours that the classifier was trained on.

        Raises:
            UsageError: they differ.
        """
        expected = tuple(self.session.get_inputs()[0].shape[1:])
        if shape != expected and not (self.lender and shape[1:] == expected[1:]):
            raise UsageError(
                f"the evaluation classifier of {self.facts['data']} was trained on images of {_in_words(expected)}, "
                f"not of {_in_words(shape)}; train one with: {self._command} --replace"
            )

    def predict(self, images: NDArray[np.float32]) -> Prediction:
        """Classify images (N, C, H, W) in [-1, 1]; raises as `check` does."""
        self.check(images.shape[1:])
        images = images.mean(axis=1, keepdims=True) if self.lender else images
        return Prediction(*run_in_batches(self.session, {"image": images}, ["probabilities", "features"]))


def warn_if_poor(facts: dict[str, Any]) -> None:
    """Warn about a classifier that is hardly better than a guess, since its scores mean little."""
    accuracy, guessed = facts["test_accuracy"], facts.get("guessed", 0.0)  # older files do not record it
    if accuracy <= guessed + BARELY * (1 - guessed):  # true for a single class, too, which teaches nothing
        progress.warn(
            f"the evaluation classifier of {facts['data']} recognises {accuracy:.2%} of the test set, and a constant "
            f"guess {guessed:.2%}, so its scores mean little; train it on more images, or for more --epochs"
        )


def training_command(source: str, size: int | None = None) -> str:
    """Return the command that trains the classifier of data."""
    sized = ["--image-size", str(size)] if size else []
    return shlex.join(["python", "-m", "training", "judge", source, *sized])


def _in_words(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{height}x{width} pixels, {'grey' if channels == 1 else 'RGB'}"
