"""Example inputs for a model's warm-up."""

import numpy as np

from gan_serve.extremes import smallest_side
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Item
from gan_serve.sampling import Arrays, complete, input_arrays


def example_arrays(metadata: ModelMetadata, rows: int) -> Arrays:
    """Return the graph's inputs for `rows` rows: black images, and other inputs sampled with seed 0."""
    side = smallest_side(metadata.multiple)
    images = {
        tensor.name: np.full((rows, *tensor.shape_at(side, side)), tensor.low, np.float32)
        for tensor in metadata.image_inputs
    }
    drawn = [tensor for tensor in metadata.inputs if tensor.name not in images]
    items = [complete(drawn, 0, Item(index, {})) for index in range(rows)]
    return input_arrays(drawn, 0, items) | images
