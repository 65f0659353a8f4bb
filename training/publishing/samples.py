"""Images for a model card: inputs from the test set, the model's outputs, and the truth."""

import io

import numpy as np
import torch
from torch import Tensor

from gan_serve.images.pixels import Pixels, tile, to_image
from gan_serve.repository import Model
from gan_serve.tensors import Image
from training.inference import run_model
from training.scoring import EvaluationCase

WIDTH = 640  # pixels of the whole image, about
EXAMPLES = 4


def image(model: Model, case: EvaluationCase) -> bytes:
    """Return a PNG of rows: inputs of the case, evenly spread, each of the model's outputs, and the truth.

    A case whose truth is its input has no row for it.
    """
    columns = min(WIDTH // case.truth.shape[-1], len(case.truth))
    few = case.rows(torch.linspace(0, len(case.truth) - 1, columns).long())
    inputs, kinds = few.inputs["image"], model.metadata.image_outputs
    made = [torch.from_numpy(run_model(model, kind.name, few.inputs)) for kind in kinds]
    rows = [(kinds[0], inputs), *zip(kinds, made, strict=True)]
    if not torch.equal(inputs, few.truth):
        rows.append((kinds[0], few.truth))
    pixels = [kind.to_pixels(_resized(images, few.truth).numpy()) for kind, images in rows]
    return _png(tile(np.concatenate(pixels), columns))


def examples(images: Tensor, kind: Image) -> list[bytes]:
    """Return a few PNGs to try a model with, evenly spread among the images (N, C, H, W) of a test set."""
    chosen = torch.linspace(0, len(images) - 1, EXAMPLES).long()
    return [_png(pixels) for pixels in kind.to_pixels(images[chosen].numpy())]


def _png(pixels: Pixels) -> bytes:
    content = io.BytesIO()
    to_image(pixels, 1).save(content, "png", optimize=True)
    return content.getvalue()


def _resized(images: Tensor, target: Tensor) -> Tensor:
    """Enlarge smaller images to the target's size, each pixel into a square."""
    factor = target.shape[-1] // images.shape[-1]
    return images.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
