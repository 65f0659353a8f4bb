"""Kinds of tensor: the meaning of a model's inputs and outputs.

Serving knows these kinds and nothing else about a model. A kind is one class: it defines how users write its values
(`parse`), what is drawn where they give none (`draw`), the array (`dtype`, `shape`, `encode`), and how every front end
describes it. To add a kind, write its class and add it to `InputTensor` or `OutputTensor`. This package does not import
numpy.
"""

from gan_serve.tensors.base import Choice, Input, Plain, Tensor, Written
from gan_serve.tensors.label import Label
from gan_serve.tensors.latent import FAR, Latent
from gan_serve.tensors.numeric import Probabilities, ScoreOutput
from gan_serve.tensors.outputs import Bar, Drawn, Numeric, Output
from gan_serve.tensors.raster import Image, Mask, Raster
from gan_serve.tensors.scalar import Scalar

__all__ = [
    "FAR",
    "Bar",
    "Choice",
    "Drawn",
    "Image",
    "Input",
    "InputTensor",
    "Label",
    "Latent",
    "Mask",
    "Numeric",
    "Output",
    "OutputTensor",
    "Plain",
    "Probabilities",
    "Raster",
    "Scalar",
    "ScoreOutput",
    "Tensor",
    "Written",
]

InputTensor = Latent | Label | Scalar | Image | Mask
OutputTensor = Image | ScoreOutput | Probabilities
