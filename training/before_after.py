"""Pictures of what a model makes of its test: what goes in, what comes out, and the truth."""

import io

import torch
from torch import Tensor

from gan_serve.pixels import tile, to_picture, to_pixels
from gan_serve.repository import Model
from training import fidelity
from training.gan import Trial

WIDTH = 640  # pixels of the whole picture, about


def picture(model: Model, trial: Trial) -> bytes:
    """A PNG of three rows: inputs of the trial, evenly spread, what the model makes of them, and the truth."""
    columns = min(WIDTH // trial.truth.shape[-1], len(trial.truth))
    chosen = torch.linspace(0, len(trial.truth) - 1, columns).long()
    few = fidelity.selected(trial, chosen)
    rows = [_as_large(few.inputs["image"], few.truth), fidelity.run(model, few), few.truth]
    pixels = to_pixels(torch.cat(rows).numpy(), model.metadata.image_outputs[0])
    content = io.BytesIO()
    to_picture(tile(pixels, columns), 1).save(content, "png", optimize=True)
    return content.getvalue()


def _as_large(images: Tensor, like: Tensor) -> Tensor:
    """Smaller images with squares for their pixels."""
    factor = like.shape[-1] // images.shape[-1]
    return images.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
