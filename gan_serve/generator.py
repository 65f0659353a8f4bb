"""One model: what a user asks for -> arrays -> ONNX Runtime -> arrays."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gan_serve.cpus import cpu_count
from gan_serve.errors import Failure
from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Model
from gan_serve.request import Item, Request, make_request
from gan_serve.result import Result
from gan_serve.runtime import one_line, open_session, parse_device, runs_on
from gan_serve.sampling import Arrays, complete, input_arrays

_SMALL = 2**18  # values of the largest tensor; 256 images of 32 x 32
BATCH = 64  # larger ones are no faster on a processor and cost memory


class Generator:
    """A model that is loaded and ready to generate.

    >>> generator = gan_serve.load("acgan")
    >>> generator.generate(label="0-9", count=8, seed=0).save("digits.png", grid=True)
    """

    def __init__(self, model: Model, *, device: str = "auto", threads: int | None = None) -> None:
        _check_servable(model)
        self.metadata = model.metadata
        self.sha256 = model.sha256
        self._session = open_session(model.content, str(model.path), parse_device(device), threads or cpu_count())
        self.device = runs_on(self._session)
        _check_graph(model, self._session)

    def generate(self, count: int = 1, *, seed: int | None = None, index: int = 0, **inputs: object) -> Result:
        """Answer with `count` images, or `count` for each row where an input is a list or a range.

        An image that goes in is a path, a folder, a glob, a Pillow image, pixels (height, width[, channels]) as uint8,
        or floats in the model's own shape and range. A model that answers with numbers has them in `answers()`.

        (model, seed, index, inputs) name an image for ever: image `index + 7` of a call for many is the same bits as
        the only image of a call with `index=7`. Without a seed, a random one is taken; the result tells it.

            >>> generator.generate(label=3, count=16, seed=0)  # 16 threes
            >>> generator.generate(label=[3, 7], count=4, seed=0)  # a row of 4 threes and a row of 4 sevens
            >>> generator.generate(label=3, seed=0, index=15)  # the last one of the 16 threes
            >>> generator.generate(image="digits/*.png").answers()  # of a classifier

        Raises:
            UsageError: an input that the model does not have, or a value out of range.
            Failure: a picture that cannot be read.
        """
        return self.run(make_request(self.metadata, inputs, count=count, seed=seed, index=index))

    def run(self, request: Request) -> Result:
        """Answer a request whole."""
        return self.run_places(request, range(len(request)))

    def run_places(self, request: Request, places: Iterable[int]) -> Result:
        """Answer a part of a request."""
        completed = [complete(self.metadata.inputs, request.seed, request.item(place)) for place in places]
        batches = [self._compute(request.seed, completed[at : at + BATCH]) for at in range(0, len(completed), BATCH)]
        outputs = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
        return Result(self.metadata, self.sha256, request, tuple(completed), outputs)

    def _compute(self, seed: int, items: Sequence[Item]) -> Arrays:
        return self.infer(input_arrays(self.metadata.inputs, seed, items))

    def infer(self, arrays: Arrays) -> Arrays:
        """The graph's own inputs -> its outputs, by their names; all have the batch as their first axis.

        Raises:
            Failure: it cannot be computed, or has another shape than the metadata says.
        """
        rows = len(next(iter(arrays.values())))
        names = [tensor.name for tensor in self.metadata.outputs]
        try:
            outputs = dict(zip(names, self._session.run(names, arrays), strict=True))
        except Exception as error:  # the runtime's exceptions have no common base
            raise Failure(f"{self.metadata.name} failed on {self.device} ({one_line(error)})") from None
        for tensor in self.metadata.outputs:
            if outputs[tensor.name].shape != (rows, *tensor.shape):
                raise Failure(f"{self.metadata.name} made {tensor.name} in another shape than its metadata says")
        return outputs


def threads_for(metadata: ModelMetadata, images: int) -> int:
    """Threads for a lone request: all, unless it is so small that starting them takes longer than the work."""
    largest = max(math.prod(tensor.shape) for tensor in (*metadata.inputs, *metadata.outputs))
    return 1 if images * largest <= _SMALL else cpu_count()


def _check_servable(model: Model) -> None:
    if model.metadata.feedback:
        raise Failure(f"{model.path}: this gan-serve cannot feed an output back to a model; upgrade it")


def _check_graph(model: Model, session: Any) -> None:
    for side, tensors, nodes in (
        ("inputs", model.metadata.inputs, session.get_inputs()),
        ("outputs", model.metadata.outputs, session.get_outputs()),
    ):
        described, found = [tensor.name for tensor in tensors], [node.name for node in nodes]
        if described != found:
            raise Failure(
                f"{model.path}: the graph's {side} are {found}, its metadata says {described}; export it again"
            )
