"""Score a model that rates how far an image is from the data that it was trained on."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import Tensor

from gan_serve.metadata import Score
from gan_serve.tensors import Scalar, ScoreOutput
from training.data import loading
from training.data.catalog import SOURCES
from training.data.dataset import Dataset, Tensors, to_signed
from training.evaluation import scores as table
from training.evaluation.context import CASE_IMAGES, Evaluation

NEEDS_CLASSIFIER = False
SEED = 1  # of the noise
CLASSES = "other classes"
COMPONENTS = 16  # of the baseline

Rating = Callable[[Tensor], Tensor]  # images (N, C, H, W) -> numbers (N,), low for what is normal


def protocol(context: Evaluation) -> str:
    """Describe what the scores were measured on."""
    return f"At most {CASE_IMAGES:,} test images of each kind, one training. Control: the untrained network."


def scores(context: Evaluation) -> list[Score]:
    """Return how well the model separates normal test images from noise, and from other images where there are any.

    Where it has learned one class of several, simple baselines are compared with it.
    """
    normal, others = _images(context)
    found, control = (_aurocs(rating(each), normal, others) for each in (context, context.control))
    baselines = _baselines(context) if CLASSES in others else {}
    gains = [
        _gain(name, _aurocs(rate, normal, others)[CLASSES], found[CLASSES], control[CLASSES])
        for name, rate in baselines.items()
    ]
    return [*(_auroc(name, found[name], control[name]) for name in others), *gains]


def _images(context: Evaluation) -> tuple[Tensor, Tensors]:
    """Return the normal test images, and the kinds of others by name: (N, C, H, W) each in [-1, 1]."""
    test = context.test
    is_normal = context.gan.normal(test)
    normal, of_classes = (to_signed(test.images[chosen][:CASE_IMAGES]) for chosen in (is_normal, ~is_normal))
    others = {CLASSES: of_classes} if len(of_classes) else {}
    others["uniform noise"] = torch.rand(normal.shape, generator=torch.Generator().manual_seed(SEED)) * 2 - 1
    if other := out_of_distribution(test.name):
        others[f"{other.name} images"] = to_signed(other.images[:CASE_IMAGES])
    return normal, others


def out_of_distribution(data: str) -> Dataset | None:
    """Return test images of other data of the same shape, if the catalog names any."""
    other = SOURCES[data].out_of_distribution if data in SOURCES else ""
    return loading.load(other, "test") if other else None


def rating(context: Evaluation) -> Rating:
    """Return the model's score of images, with its usual value for every other input."""
    metadata = context.model.metadata
    (image,) = metadata.image_inputs
    (score,) = (tensor for tensor in metadata.outputs if isinstance(tensor, ScoreOutput))
    scalars = {tensor.name: tensor.default for tensor in metadata.inputs if isinstance(tensor, Scalar)}

    def rate(images: Tensor) -> Tensor:
        usual = {name: torch.full((len(images),), float(value)) for name, value in scalars.items()}
        return context.run({image.name: images, **usual})[score.name]

    return rate


def _baselines(context: Evaluation) -> dict[str, Rating]:
    """Return ratings that need no training, fitted to the normal training images as the networks see them."""
    train, seen = context.train, context.gan.seen
    normal = seen(to_signed(train.images[context.gan.normal(train)])).flatten(1).numpy()
    found = PCA(COMPONENTS, random_state=SEED).fit(normal)

    def from_components(images: Tensor) -> Tensor:
        pixels = seen(images).flatten(1).numpy()
        return torch.from_numpy(np.square(pixels - found.inverse_transform(found.transform(pixels))).sum(axis=1))

    def from_mean(images: Tensor) -> Tensor:
        return torch.from_numpy(np.square(seen(images).flatten(1).numpy() - found.mean_).sum(axis=1))

    return {f"{COMPONENTS} principal components": from_components, "the mean image": from_mean}


def _aurocs(rate: Rating, normal: Tensor, others: Tensors) -> dict[str, float]:
    """Return the area under the ROC curve of the normal images against each kind of others."""
    rated = rate(normal)
    return {name: _area(rated, rate(images)) for name, images in others.items()}


def _area(normal: Tensor, others: Tensor) -> float:
    truth = np.repeat([0, 1], [len(normal), len(others)])
    return float(roc_auc_score(truth, torch.cat([normal, others])))


def _auroc(name: str, value: float, control: float) -> Score:
    return table.rounded(
        Score(
            name=f"auroc_{name.replace(' ', '_')}",
            value=value,
            better="higher",
            description=f"chance that a test image gets a lower number than one of {name}",
            control=control,
        )
    )


def _gain(name: str, base: float, value: float, control: float) -> Score:
    return table.rounded(
        Score(
            name=f"auroc_gain_over_{name.removeprefix('the ').replace(' ', '_')}",
            value=value - base,
            better="higher",
            description=f"how much higher the first is than that of the distance from {name}, which is {base:.3f}",
            control=control - base,
        )
    )
