"""The sample of a model that makes images from images."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from small_models import INSPECTOR, build_model

from gan_serve.repository import Model
from training.publishing import samples
from training.scoring import EvaluationCase

MODEL = Model(INSPECTOR, "", Path("model.onnx"), build_model(INSPECTOR).SerializeToString())


def rows(truth: torch.Tensor, images: torch.Tensor) -> list[np.ndarray]:
    """The rows of the sample, in values like those of the images; eight images are side by side."""
    case = EvaluationCase({"image": images, "descent": torch.zeros(len(images))}, truth, ())
    with Pillow.open(io.BytesIO(samples.image(MODEL, case))) as sample:
        pixels = np.asarray(sample.convert("L"), np.float32) / 127.5 - 1
    assert pixels.shape[1] == 8 * 8
    return np.split(pixels, len(pixels) // 8)


def side_by_side(images: torch.Tensor) -> np.ndarray:
    return np.concatenate([image[0].numpy() for image in images], axis=1)


def test_a_sample_shows_inputs_every_image_made_of_them_and_the_truth() -> None:
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    given, reconstruction, heat, truth = rows(images.flip(-1), images)
    assert np.abs(given - side_by_side(images)).max() < 0.01
    assert np.abs(reconstruction + side_by_side(images)).max() < 0.01
    squares = torch.nn.functional.max_pool2d(images, 4).clamp(0, 1) * 2 - 1  # its range is from 0 to 1
    assert np.abs(heat - side_by_side(squares.repeat_interleave(4, 2).repeat_interleave(4, 3))).max() < 0.01
    assert np.abs(truth - side_by_side(images.flip(-1))).max() < 0.01


def test_a_truth_that_is_the_input_is_shown_once() -> None:
    images = torch.zeros(8, 1, 8, 8)
    assert len(rows(images, images)) == 3
