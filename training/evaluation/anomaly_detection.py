"""Score a model that rates how far an image is from the data that it was trained on."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data import loading
from training.data.catalog import SOURCES
from training.data.dataset import Dataset, to_signed
from training.evaluation import classification
from training.evaluation import scores as table
from training.evaluation.context import Evaluation
from training.inference import run_model

NEEDS_CLASSIFIER = False
SEED = 1  # of the noise

protocol = classification.protocol


def scores(context: Evaluation) -> list[Score]:
    """Return how well the model separates the test images from noise, and from images of other data where known."""
    test = context.test
    others = {"uniform noise": torch.rand(test.images.shape, generator=torch.Generator().manual_seed(SEED)) * 2 - 1}
    if other := out_of_distribution(test.name):
        others[f"{other.name} images"] = to_signed(other.images)
    images = to_signed(test.images)
    return [
        table.rounded(
            Score(
                name=f"auroc_{name.replace(' ', '_')}",
                value=_auroc(context.model, images, other_images),
                better="higher",
                description=f"chance that a test image gets a lower number than one of {name}",
                control=_auroc(context.untrained, images, other_images),
            )
        )
        for name, other_images in others.items()
    ]


def out_of_distribution(data: str) -> Dataset | None:
    """Return test images of other data of the same shape, if the catalog names any."""
    other = SOURCES[data].out_of_distribution if data in SOURCES else ""
    return loading.load(other, "test") if other else None


def _auroc(model: Model, images: Tensor, others: Tensor) -> float:
    """Return the area under the ROC curve."""
    (image,), (score,) = model.metadata.inputs, model.metadata.outputs
    truth = np.repeat([0, 1], [len(images), len(others)])
    return float(roc_auc_score(truth, run_model(model, score.name, {image.name: torch.cat([images, others])})))
