"""Read traits of images in a classifier's features, by a linear map."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]  # (N, D)
Labels = NDArray[np.int64]  # (N,)
RIDGE = 1e-3  # keeps the solution finite where features depend on each other


@dataclass(frozen=True)
class Probe:
    """A linear classifier of features."""

    weights: NDArray[np.float64]  # (D + 1, K)

    @classmethod
    def of(cls, features: Features, labels: Labels) -> "Probe":
        """Fit the one-hot labels of features by least squares."""
        inputs = _with_constant(features)
        targets = np.eye(labels.max() + 1)[labels]
        covariance = inputs.T @ inputs / len(inputs) + RIDGE * np.eye(inputs.shape[1])
        return cls(np.linalg.solve(covariance, inputs.T @ targets / len(inputs)).astype(np.float64))

    def read(self, features: Features) -> Labels:
        """Return the most likely label for each of the features."""
        read: Labels = (_with_constant(features) @ self.weights).argmax(axis=1)
        return read


def _with_constant(features: Features) -> NDArray[np.float64]:
    return np.column_stack([features, np.ones(len(features))]).astype(np.float64)
