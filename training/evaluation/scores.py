"""Every metric that several models share, and how scores are rounded."""

from dataclasses import dataclass, replace
from typing import Literal

from gan_serve.metadata import Score

DIGITS = 4  # after the decimal point


@dataclass(frozen=True)
class Metric:
    """Which direction is better, and what the value means."""

    better: Literal["higher", "lower"]
    description: str


METRICS = {
    # Of generated images, as a distribution.
    "fcd": Metric("lower", "Frechet distance on the classifier's features; not comparable with an Inception FID"),
    "inception_style_score": Metric(
        "higher", "exp of the mutual information of image and class; at most the number of classes"
    ),
    "smallest_class_share": Metric("higher", "share of the rarest class; 0 where a class is never generated"),
    "label_accuracy": Metric("higher", "share of images that the classifier assigns to the intended class"),
    "intra_class_diversity": Metric(
        "higher", "mean feature distance within a class, as a share of that of real images"
    ),
    "gan_train": Metric("higher", "test accuracy of a classifier trained on the generated images alone"),
    "precision": Metric("higher", "share of generated images that lie among real ones"),
    "recall": Metric("higher", "share of real images that lie among generated ones"),
    "density": Metric("higher", "how many real neighbourhoods a generated image lies in; about 1 for real images"),
    "coverage": Metric("higher", "share of real images with a generated one in their neighbourhood"),
    # Of images beside the truth.
    "patch_fcd": Metric(
        "lower", "Frechet distance of patches of 32x32 pixels, on the features of the classifier of photos"
    ),
    "pixel_accuracy": Metric("higher", "share of pixels in which the segmenter predicts the class of the map"),
    "mean_iou": Metric(
        "higher", "intersection over union of the segmenter's prediction and the map, averaged over the classes"
    ),
    "l1": Metric("lower", "mean difference of the pixels from the truth, where black and white differ by 2"),
    "psnr": Metric("higher", "peak signal-to-noise ratio in dB"),
    "ssim": Metric("higher", "structural similarity, at most 1"),
    "retrieval": Metric(
        "higher", "share of images that are nearer to their own partner than to any other of the test set"
    ),
    "feature_retrieval": Metric(
        "higher", "the same by the classifier's features, which depend on the content of an image, not on its place"
    ),
    "sharpness": Metric("higher", "differences of neighbouring pixels as a share of the truth's; 1 is as sharp"),
}


def score(name: str, value: float, *, real: float | None = None, control: float | None = None) -> Score:
    """Return a score by one of `METRICS`, rounded."""
    metric = METRICS[name]
    return rounded(
        Score(name=name, value=value, better=metric.better, description=metric.description, real=real, control=control)
    )


def rounded(score: Score) -> Score:
    """Return the score with its values rounded."""
    real, control = (None if value is None else round(value, DIGITS) for value in (score.real, score.control))
    return replace(score, value=round(score.value, DIGITS), real=real, control=control)
