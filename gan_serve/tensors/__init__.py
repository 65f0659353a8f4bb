"""Kinds of tensor: the meaning of a model's inputs and outputs.

Serving knows these kinds and nothing else about a model. A kind defines how people write its values (`parse`), and
the array that they become (`dtype`, and `shape` without the batch axis). This package does not import numpy.
"""

from gan_serve.tensors.base import Tensor
from gan_serve.tensors.label import Label
from gan_serve.tensors.latent import FAR, Latent
from gan_serve.tensors.numeric import Probabilities, ScoreOutput
from gan_serve.tensors.raster import Image, Mask, Raster
from gan_serve.tensors.scalar import Scalar

__all__ = [
    "FAR",
    "Image",
    "InputTensor",
    "Label",
    "Latent",
    "Mask",
    "OutputTensor",
    "Probabilities",
    "Raster",
    "Scalar",
    "ScoreOutput",
    "Tensor",
]

InputTensor = Latent | Label | Scalar | Image | Mask
OutputTensor = Image | ScoreOutput | Probabilities
