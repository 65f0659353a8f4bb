"""What a classifier of real images answers; importing this loads no metrics."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """A classifier's answer for N images."""

    probabilities: NDArray[np.float32]  # (N, K), one column per class
    features: NDArray[np.float32]  # (N, D), of the layer before
