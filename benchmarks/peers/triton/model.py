"""The model that Triton's Python backend runs."""

from __future__ import annotations  # the backend's module defines its classes later

import numpy as np
import triton_python_backend_utils as triton
from painter import Painter


class TritonPythonModel:
    """A seed in, a PNG out."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model, in each instance."""
        self._painter = Painter()

    def execute(self, requests: list[triton.InferenceRequest]) -> list[triton.InferenceResponse]:
        """Return the responses to a list of requests."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: triton.InferenceRequest) -> triton.InferenceResponse:
        (seed,) = triton.get_input_tensor_by_name(request, "seed").as_numpy()
        content = np.frombuffer(self._painter.paint(int(seed)), np.uint8)
        return triton.InferenceResponse([triton.Tensor("png", content)])
