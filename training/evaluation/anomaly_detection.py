"""Score a model that tells by one number how far an image is from the data it has learned."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data.dataset import Dataset, to_signed
from training.evaluation.classification import answers

SEED = 1  # of the noise


def scores(model: Model, untrained: Model, test: Dataset, out_of_distribution: Dataset | None) -> list[Score]:
    """How well the number tells test images from noise, and from images of another data set, `out_of_distribution`."""
    noise = torch.rand(test.images.shape, generator=torch.Generator().manual_seed(SEED)) * 2 - 1
    others = {"uniform noise": noise}
    if out_of_distribution:
        others[f"{out_of_distribution.name} images"] = to_signed(out_of_distribution.images)
    images = to_signed(test.images)
    found = {name: _told_apart(model, images, other) for name, other in others.items()}
    control = {name: _told_apart(untrained, images, other) for name, other in others.items()}
    return [
        Score(
            name=f"auroc_{name.replace(' ', '_')}",
            value=round(value, 4),
            better="higher",
            description=f"chance that a test image gets a lower number than one of {name}",
            control=round(control[name], 4),
        )
        for name, value in found.items()
    ]


def _told_apart(model: Model, images: Tensor, others: Tensor) -> float:
    """The area under the ROC curve."""
    (image,), (score,) = model.metadata.inputs, model.metadata.outputs
    truth = np.repeat([0, 1], [len(images), len(others)])
    return float(roc_auc_score(truth, answers(model, score.name, {image.name: torch.cat([images, others])})))
