"""Score a model that turns images into images: compare its outputs with the truth and with simple baselines."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data.dataset import to_signed
from training.data.palettes import palette_of
from training.evaluation import scores as table
from training.evaluation import segmenter, super_resolution
from training.evaluation.classifier import EvaluationClassifier
from training.evaluation.context import Evaluation
from training.evaluation.segmenter import Segmenter
from training.inference import run_model
from training.metrics import distribution
from training.metrics.images import l1, patches, psnr, retrieval, sharpness, ssim
from training.scoring import PATCH, EvaluationCase

NEEDS_CLASSIFIER = False  # for some metrics only
BATCH = 20
PHOTOS = "cifar10"  # the data whose classifier compares patches

Measure = Callable[[Evaluation, Tensor], float]  # of images (N, C, H, W) beside the truth of the case

BASELINES = {
    "input": "the input image",
    "average": "the average of all true images",
    "mean": "a hole filled with the mean colour around it",
    "pose": "the mean of the test images in the pose",
    "nearest": "a hole filled from the test image that looks most alike around it",
}


def scores(context: Evaluation) -> list[Score]:
    """Return the metrics that the case names, and how many dB better than each baseline the model is.

    Super-resolution has scores of whole photos before them.
    """
    case = context.case
    outputs, control = (run(each, case) for each in (context.model, context.untrained))
    common = [
        table.score(
            name,
            MEASURES[name](context, outputs),
            real=MEASURES[name](context, REAL[name](context)) if name in REAL else None,
            control=MEASURES[name](context, control),
        )
        for name in case.metrics
    ]
    gains = [_gain(name, case, outputs, control) for name in case.baselines]
    return [*super_resolution.scores(context), *common, *gains]


def protocol(context: Evaluation) -> str:
    """Describe what the scores were measured on."""
    case, test = context.case, context.test
    networks = ""
    if {"fcd", "label_accuracy", "feature_retrieval"} & set(case.metrics):
        accuracy = EvaluationClassifier(test.name).facts["test_accuracy"]
        networks += f" The classifier recognises {accuracy:.2%} of the test set."
    if "mean_iou" in case.metrics:
        networks += " The segmenter was trained on the real training photos."
    if not test.pairs:
        networks += " They have no true partners: the images of the other set stand for the truth."
    return (
        f"{super_resolution.protocol(context)}{len(case.truth):,} test images, one training.{networks} Real: the truth "
        "itself, or for a distance training images. Control: the untrained network."
    )


def run(model: Model, case: EvaluationCase) -> Tensor:
    """Return the exported model's output images (N, C, H, W) for the inputs of the case."""
    return torch.from_numpy(run_model(model, model.metadata.image_outputs[0].name, case.inputs, BATCH))


def _gain(name: str, case: EvaluationCase, outputs: Tensor, control: Tensor) -> Score:
    base, value, worst = (psnr(*case.compared(images)) for images in (case.baselines[name], outputs, control))
    return table.rounded(
        Score(
            name=f"psnr_gain_over_{name}",
            value=value - base,
            better="higher",
            description=f"dB more than {BASELINES[name]} has, which are {base:.2f}",
            control=worst - base,
        )
    )


def _of_region(measure: Callable[[Tensor, Tensor], float]) -> Measure:
    """Return the measure for the part of the images that is compared."""
    return lambda context, images: measure(*context.case.compared(images))


def _features(context: Evaluation, images: Tensor) -> list[NDArray[np.float32]]:
    """Return the classifier's features of the truth and of the images."""
    classifier = EvaluationClassifier(context.test.name)
    return [classifier.predict(each.numpy()).features for each in (context.case.truth, images)]


def _distance(context: Evaluation, images: Tensor) -> float:
    return distribution.frechet_distance(*_features(context, images))


def _patch_distance(context: Evaluation, images: Tensor) -> float:
    classifier = EvaluationClassifier(PHOTOS)
    features = [classifier.predict(patches(each, PATCH).numpy()).features for each in (context.case.truth, images)]
    return distribution.frechet_distance(*features)


def _label_accuracy(context: Evaluation, images: Tensor) -> float:
    probabilities = EvaluationClassifier(context.test.name).predict(images.numpy()).probabilities
    return distribution.label_accuracy(probabilities, context.test.labels[: len(images)].numpy())


def _feature_retrieval(context: Evaluation, images: Tensor) -> float:
    truth, features = map(torch.as_tensor, _features(context, images))
    return retrieval(features, truth)


def _segmentation(name: str) -> Measure:
    def measure(context: Evaluation, images: Tensor) -> float:
        predicted = Segmenter(context.test.name).predict(images)
        return segmenter.scores(predicted, context.case.inputs["image"], palette_of(context.test.name))[name]

    return measure


MEASURES: dict[str, Measure] = {
    "fcd": _distance,
    "patch_fcd": _patch_distance,
    "label_accuracy": _label_accuracy,
    "pixel_accuracy": _segmentation("pixel_accuracy"),
    "mean_iou": _segmentation("mean_iou"),
    "l1": _of_region(l1),
    "psnr": _of_region(psnr),
    "ssim": _of_region(ssim),
    "retrieval": _of_region(retrieval),
    "feature_retrieval": _feature_retrieval,
    "sharpness": _of_region(sharpness),
}


def _truth(context: Evaluation) -> Tensor:
    return context.case.truth


def _training_images(context: Evaluation) -> Tensor:
    return to_signed(context.train.images[: len(context.case.truth)])


# The images whose value stands beside the model's as that of real data.
REAL: dict[str, Callable[[Evaluation], Tensor]] = {
    "fcd": _training_images,
    "label_accuracy": _truth,
    "pixel_accuracy": _truth,
    "mean_iou": _truth,
}
