"""Images of what a model makes of its test: what goes in, what comes out, and the truth."""

import io

import torch
from torch import Tensor

from gan_serve.images.pixels import Pixels, tile, to_image, to_pixels
from gan_serve.repository import Model
from gan_serve.tensors import Image
from training.evaluation import translation
from training.gan import EvaluationCase

WIDTH = 640  # pixels of the whole image, about
EXAMPLES = 4


def image(model: Model, trial: EvaluationCase) -> bytes:
    """A PNG of three rows: inputs of the trial, evenly spread, what the model makes of them, and the truth."""
    columns = min(WIDTH // trial.truth.shape[-1], len(trial.truth))
    chosen = torch.linspace(0, len(trial.truth) - 1, columns).long()
    few = translation.selected(trial, chosen)
    rows = [_as_large(few.inputs["image"], few.truth), translation.run(model, few), few.truth]
    pixels = to_pixels(torch.cat(rows).numpy(), model.metadata.image_outputs[0])
    return _png(tile(pixels, columns))


def examples(images: Tensor, kind: Image) -> list[bytes]:
    """A few PNGs to try a model with, evenly spread among the images (N, C, H, W) of a test set."""
    chosen = torch.linspace(0, len(images) - 1, EXAMPLES).long()
    return [_png(pixels) for pixels in to_pixels(images[chosen].numpy(), kind)]


def _png(pixels: Pixels) -> bytes:
    content = io.BytesIO()
    to_image(pixels, 1).save(content, "png", optimize=True)
    return content.getvalue()


def _as_large(images: Tensor, like: Tensor) -> Tensor:
    """Smaller images with squares for their pixels."""
    factor = like.shape[-1] // images.shape[-1]
    return images.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
