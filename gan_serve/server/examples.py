"""What a model can be tried with before anybody asks it."""

from collections.abc import Sequence

import numpy as np

from gan_serve.metadata import ModelMetadata
from gan_serve.request import Inputs, Item
from gan_serve.sampling import Arrays, complete, input_arrays
from gan_serve.sources import Source
from gan_serve.tensors import Image

_NO_DIGEST = "0" * 64


def example_arrays(metadata: ModelMetadata, rows: int) -> Arrays:
    """The graph's inputs for so many rows: black pictures, and what is drawn from the seed 0."""
    inputs: Inputs = {image.name: _black(image) for image in metadata.image_inputs}
    items: Sequence[Item] = [complete(metadata.inputs, 0, Item(index, inputs)) for index in range(rows)]
    return input_arrays(metadata.inputs, 0, items)


def _black(image: Image) -> Source:
    return Source(None, _NO_DIGEST, np.full(image.shape, image.low, np.float32))
