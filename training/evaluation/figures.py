"""Figures of merit of images that were made of images, beside the truth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from training.data.dataset import Dataset, to_signed
from training.evaluation import segmenter
from training.evaluation.classifier import EvaluationClassifier
from training.evaluation.segmenter import Segmenter
from training.gan import PATCH, EvaluationCase
from training.metrics import distribution

MOST_DECIBELS = 60.0  # of images that are the same
PHOTO_JUDGE = "cifar10"


@dataclass(frozen=True)
class Outcome:
    """What a model has made of a trial."""

    made: Tensor  # (N, C, H, W)
    trial: EvaluationCase
    data: Dataset  # test
    train: Dataset

    @property
    def compared(self) -> tuple[Tensor, Tensor]:
        """What was made and the truth, cut to what is compared."""
        rows, columns = self.trial.box
        return self.made[:, :, rows, columns], self.trial.truth[:, :, rows, columns]


@dataclass(frozen=True)
class Figure:
    """One figure of merit."""

    better: Literal["higher", "lower"]
    description: str
    measure: Callable[[Outcome], float]
    real: Callable[[Outcome], float] | None = None  # what the truth itself would get, or other real images


def psnr(made: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of images (N, C, H, W) in [-1, 1], each at most 60, averaged over the images."""
    each = [peak_signal_noise_ratio(*pair, data_range=2.0) for pair in zip(made, truth, strict=True)]
    return float(torch.stack(each).clamp(max=MOST_DECIBELS).mean())


def ssim(made: Tensor, truth: Tensor) -> float:
    """Structural similarity of images (N, C, H, W) in [-1, 1] (Wang et al. 2004)."""
    return float(structural_similarity_index_measure(made, truth, data_range=2.0))  # type: ignore[arg-type]


def retrieval(made: Tensor, truth: Tensor) -> float:
    """The share of images that are nearer to their own partner than to any other, by the squares of the pixels."""
    nearest = torch.cdist(made.flatten(1), truth.flatten(1)).argmin(dim=1)
    return float((nearest == torch.arange(len(made))).float().mean())


def sharpness(made: Tensor, truth: Tensor) -> float:
    """The mean difference of neighbouring pixels as a share of the truth's; less than 1 is blurred."""
    energies = [sum(images.diff(dim=axis).abs().mean() for axis in (2, 3)) for images in (made, truth)]
    return float(energies[0] / energies[1])


def _distance(outcome: Outcome, images: Tensor) -> float:
    return distribution.frechet_distance(*_features(outcome, images))


def _features(outcome: Outcome, images: Tensor) -> list[NDArray[np.float32]]:
    """What the judge sees in the truth, and in images."""
    judge = EvaluationClassifier(outcome.data.name)
    return [judge.look(each.numpy()).features for each in (outcome.trial.truth, images)]


def _patch_distance(outcome: Outcome) -> float:
    judge = EvaluationClassifier(PHOTO_JUDGE)
    seen = [judge.look(patches(each).numpy()).features for each in (outcome.trial.truth, outcome.made)]
    return distribution.frechet_distance(*seen)


def patches(images: Tensor) -> Tensor:
    """Images (N, C, H, W) -> all squares of 32x32 pixels side by side in them."""
    windows = images.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, images.shape[1], PATCH, PATCH)


def _label_accuracy(outcome: Outcome, images: Tensor) -> float:
    judged = EvaluationClassifier(outcome.data.name).look(images.numpy()).probabilities
    return distribution.label_accuracy(judged, outcome.data.labels[: len(images)].numpy())


def _feature_retrieval(outcome: Outcome) -> float:
    truth, made = map(torch.as_tensor, _features(outcome, outcome.made))
    return retrieval(made, truth)


def _segmented(outcome: Outcome, images: Tensor, name: str) -> float:
    seen = Segmenter(outcome.data.name).look(images)
    return segmenter.scores(seen, outcome.trial.inputs["image"])[name]


FIGURES = {
    "fcd": Figure(
        "lower",
        "Frechet distance on the judge's features; not comparable with an Inception FID",
        lambda outcome: _distance(outcome, outcome.made),
        lambda outcome: _distance(outcome, to_signed(outcome.train.images[: len(outcome.made)])),
    ),
    "patch_fcd": Figure(
        "lower", "Frechet distance of patches of 32x32 pixels, on the features of the judge of photos", _patch_distance
    ),
    "label_accuracy": Figure(
        "higher",
        "share of images that the judge takes for what they should show",
        lambda outcome: _label_accuracy(outcome, outcome.made),
        lambda outcome: _label_accuracy(outcome, outcome.trial.truth),
    ),
    "pixel_accuracy": Figure(
        "higher",
        "share of pixels in which the segmenter sees the class that was asked for",
        lambda outcome: _segmented(outcome, outcome.made, "pixel_accuracy"),
        lambda outcome: _segmented(outcome, outcome.trial.truth, "pixel_accuracy"),
    ),
    "mean_iou": Figure(
        "higher",
        "intersection over union of what the segmenter sees and what was asked for, averaged over the classes",
        lambda outcome: _segmented(outcome, outcome.made, "mean_iou"),
        lambda outcome: _segmented(outcome, outcome.trial.truth, "mean_iou"),
    ),
    "l1": Figure(
        "lower",
        "mean difference of the pixels from the truth, where black and white differ by 2",
        lambda outcome: float((outcome.compared[0] - outcome.compared[1]).abs().mean()),
    ),
    "psnr": Figure("higher", "peak signal-to-noise ratio in dB", lambda outcome: psnr(*outcome.compared)),
    "ssim": Figure("higher", "structural similarity, at most 1", lambda outcome: ssim(*outcome.compared)),
    "retrieval": Figure(
        "higher",
        "share of images that are nearer to their own partner than to any other of the test set",
        lambda outcome: retrieval(*outcome.compared),
    ),
    "feature_retrieval": Figure(
        "higher",
        "the same by the judge's features, which tell what is shown and not where",
        _feature_retrieval,
    ),
    "sharpness": Figure(
        "higher",
        "differences of neighbouring pixels as a share of the truth's; 1 is as sharp",
        lambda outcome: sharpness(*outcome.compared),
    ),
}
