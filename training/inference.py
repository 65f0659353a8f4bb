"""Run ONNX files over many rows, such as a classifier over a test set."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gan_serve.repository import Model
from gan_serve.runtime import open_session, parse_device
from gan_serve.system.parallel import map_in_order
from training.data.dataset import Tensors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH = 500  # rows of a run, where nothing else is said


def open_network(content: bytes, source: str) -> "InferenceSession":
    """Open a session on the CPU; `source` names the file in messages.

    Raises:
        Failure: ONNX Runtime cannot load the file.
    """
    return open_session(content, source, parse_device("cpu"))


def run_model(model: Model, output: str, inputs: Tensors, batch: int = BATCH) -> NDArray[np.float32]:
    """Return one output of an exported model for all rows of its inputs (N, ...)."""
    session = open_network(model.content, str(model.path))
    (outputs,) = run_in_batches(session, {name: rows.numpy() for name, rows in inputs.items()}, [output], batch)
    return outputs


def run_in_batches(
    session: "InferenceSession", inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str], batch: int = BATCH
) -> list[NDArray[np.float32]]:
    """Return the named outputs for all rows of the inputs (N, ...).

    Runs of `batch` rows go side by side on PyTorch's number of threads, which does not change the result.
    """
    rows = len(next(iter(inputs.values())))

    def run(start: int) -> list[NDArray[np.float32]]:
        results: list[NDArray[np.float32]] = session.run(
            outputs, {name: array[start : start + batch] for name, array in inputs.items()}
        )
        return results

    parts = map_in_order(run, range(0, rows, batch), torch.get_num_threads())
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
