"""A classifier's predictions, in a module that imports no metrics."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """A classifier's predictions for N images."""

    probabilities: NDArray[np.float32]  # (N, K), one column per class
    features: NDArray[np.float32]  # (N, D), the inputs of the last layer
