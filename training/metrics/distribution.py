"""Quality and variety of generated data: pure functions of a classifier's features and class probabilities.

Features are float arrays (N, D), probabilities are (N, K), labels are integers (N,).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
NEIGHBOURS = 5  # k, as in the paper on density and coverage


class _Identity(nn.Identity):
    """The feature extractor for torchmetrics, whose inputs are features already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def frechet_distance(real: Array, fake: Array) -> float:
    """Return the distance of the two Gaussians that fit the features (Heusel et al. 2017, with other features)."""
    metric = FrechetInceptionDistance(feature=_Identity(real.shape[1])).set_dtype(torch.float64)
    metric.update(torch.from_numpy(real).double(), real=True)
    metric.update(torch.from_numpy(fake).double(), real=False)
    return float(metric.compute())


def inception_style_score(probabilities: Array) -> float:
    """exp of the mutual information between image and class: 1 (worthless) to K (certain and evenly spread)."""
    p = np.clip(probabilities.astype(np.float64), 1e-12, 1)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(axis=0)))).sum(axis=1).mean()))


def smallest_class_share(probabilities: Array) -> float:
    """Return the share of images in the rarest class: 0 if a mode is dropped."""
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return float(counts.min() / len(probabilities))


def modes(labels: Labels) -> int:
    """Return the number of classes that occur."""
    return len(np.unique(labels))


def divergence_from_uniform(labels: Labels, classes: int) -> float:
    """KL(p || uniform) in nats, with p the classes' shares: 0 if all are equal, log(classes) if only one class occurs.

    Sampling noise adds about (classes - 1) / 2N for N labels drawn uniformly.
    """
    shares = np.bincount(labels, minlength=classes) / len(labels)
    present = shares[shares > 0]
    return float((present * np.log(present * classes)).sum())


def label_accuracy(probabilities: Array, labels: Labels) -> float:
    """Return the share of images that the classifier assigns to the requested label."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def error(predictions: Labels, labels: Labels) -> float:
    """Return the share of wrong predictions."""
    return float((predictions != labels).mean())


def clustering_error(predictions: Labels, labels: Labels) -> float:
    """Return the share of wrong predictions under the best one-to-one assignment of clusters to classes."""
    counts = contingency_matrix(labels, predictions)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return float(1 - counts[rows, columns].sum() / len(labels))


def intra_class_distance(features: Array, labels: Labels) -> float:
    """Return the mean distance between two images of a class, averaged over classes: low if a class has collapsed."""
    return float(np.mean([_mean_pairwise_distance(features[labels == label]) for label in np.unique(labels)]))


def _mean_pairwise_distance(features: Array) -> float:
    chosen = torch.from_numpy(features[:1_000]).double()
    return float(torch.pdist(chosen).mean())


def neighbourhoods(real: Array, fake: Array) -> dict[str, float]:
    """Return precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020)."""
    inside = _containing_balls(fake, real)
    return {
        "precision": float((inside > 0).mean()),
        "recall": float((_containing_balls(real, fake) > 0).mean()),
        "density": float(inside.mean() / NEIGHBOURS),
        "coverage": float((_nearest(real, fake) <= _radius(real)).mean()),
    }


def _containing_balls(points: Array, centres: Array) -> NDArray[np.int64]:
    """Count, for each point, the balls that contain it; a ball reaches from a centre to its k-th neighbour."""
    radius, others = torch.from_numpy(_radius(centres)), torch.from_numpy(centres)
    chunks = torch.split(torch.from_numpy(points), 1_000)
    return torch.cat([(torch.cdist(chunk, others) <= radius).sum(dim=1) for chunk in chunks]).numpy()


def _radius(points: Array) -> Array:
    """Return the distance of each point to its k-th neighbour."""
    radius: Array = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(points).kneighbors()[0][:, -1]
    return radius.astype(np.float32)


def _nearest(points: Array, others: Array) -> Array:
    """Return the distance of each point to the nearest of the others."""
    nearest: Array = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(others).kneighbors(points)[0][:, 0]
    return nearest.astype(np.float32)
