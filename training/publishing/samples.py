"""Images for a model card: inputs from the test set, the model's outputs, and the truth where there is one."""

import io
from typing import Any

import numpy as np
import torch
from PIL.Image import Resampling
from torch import Tensor

from gan_serve.generator import Generator
from gan_serve.images.pixels import Pixels, tile, to_image
from gan_serve.outputs.panels import panels_of
from gan_serve.repository import Model
from gan_serve.tensors import Image
from training.inference import run_model
from training.publishing.cards import edits_of
from training.scoring import EvaluationCase

WIDTH = 640  # pixels of the whole image, about
EXAMPLES = 4


def image(model: Model, case: EvaluationCase) -> bytes:
    """Return a PNG of rows: inputs of the case, evenly spread, each of the model's outputs, its edits, and the truth.

    A case whose truth is its input has no row for it.
    """
    columns = min(WIDTH // case.truth.shape[-1], len(case.truth))
    few = case.rows(torch.linspace(0, len(case.truth) - 1, columns).long())
    inputs, kinds = few.inputs["image"], model.metadata.image_outputs
    made = [torch.from_numpy(run_model(model, kind.name, few.inputs)) for kind in kinds]
    rows = [(kinds[0], inputs), *zip(kinds, made, strict=True), *((kinds[0], edited) for edited in _edited(model, few))]
    if not torch.equal(inputs, few.truth):
        rows.append((kinds[0], few.truth))
    pixels = [kind.to_pixels(_resized(images, few.truth).numpy()) for kind, images in rows]
    return _png(tile(np.concatenate(pixels), columns))


def _edited(model: Model, case: EvaluationCase) -> list[Tensor]:
    """Return the outputs for other classes of each label that changes nothing unless it is given."""
    count = len(case.truth)
    rows = []
    for label in edits_of(model.metadata):
        others = [place for place, name in enumerate(label.classes) if name != label.default]
        chosen = torch.tensor(others)[torch.linspace(0, len(others) - 1, count).long()]
        output = run_model(model, model.metadata.image_outputs[0].name, {**case.inputs, label.name: chosen})
        rows.append(torch.from_numpy(output))
    return rows


def outputs(model: Model, images: Tensor) -> bytes:
    """Return a PNG of a row of images (N, C, H, W), evenly spread, above a row for each image that the model makes."""
    source = next(tensor for tensor in model.metadata.image_inputs if isinstance(tensor, Image))
    columns = min(WIDTH // images.shape[-1], len(images))
    few = images[torch.linspace(0, len(images) - 1, columns).long()].numpy()
    inputs: dict[str, Any] = {source.name: list(few)}
    result = Generator(model).generate(seed=0, **inputs)
    rows = [to_image(pixels, 1) for pixels in source.to_pixels(few)]
    rows += [each for panel in panels_of(model.metadata) for each in result.images(output=panel.name)]
    size = rows[0].size
    return _png(tile([np.asarray(each.convert("RGB").resize(size, Resampling.NEAREST)) for each in rows], columns))


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
