"""What a model can be tried with before anybody asks it."""

import numpy as np

from gan_serve.extremes import smallest_side
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Item
from gan_serve.sampling import Arrays, complete, input_arrays


def example_arrays(metadata: ModelMetadata, rows: int) -> Arrays:
    """The graph's inputs for so many rows: black images, and what is drawn from the seed 0."""
    side = smallest_side(metadata.multiple)
    images = {
        tensor.name: np.full((rows, *tensor.shape_at(side, side)), tensor.low, np.float32)
        for tensor in metadata.image_inputs
    }
    drawn = [tensor for tensor in metadata.inputs if tensor.name not in images]
    items = [complete(drawn, 0, Item(index, {})) for index in range(rows)]
    return input_arrays(drawn, 0, items) | images
