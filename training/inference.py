"""Networks in ONNX files over many rows, such as a judge over a test set."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gan_serve.runtime import open_session, parse_device
from gan_serve.system.parallel import map_in_order

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_network(content: bytes, source: str) -> "InferenceSession":
    """A session on the CPU; `source` names the file in messages.

    Raises:
        Failure: ONNX Runtime cannot load it.
    """
    return open_session(content, source, parse_device("cpu"))


def run_in_batches(
    session: "InferenceSession", inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str], batch: int
) -> list[NDArray[np.float32]]:
    """The outputs for all rows of the inputs (N, ...), in the order of their names.

    Runs of `batch` rows go side by side on as many threads as PyTorch uses; how many does not change the result.
    """
    rows = len(next(iter(inputs.values())))

    def run(start: int) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = session.run(
            outputs, {name: array[start : start + batch] for name, array in inputs.items()}
        )
        return found

    parts = map_in_order(run, range(0, rows, batch), torch.get_num_threads())
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
