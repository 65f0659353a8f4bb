"""Extreme inputs, on which every model is tested."""

from pathlib import Path

import numpy as np
import pytest
from small_models import CLASSIFIER, DIGIT, ENLARGER, FILLER, MENDER, NOISY, PLAIN, STYLED, save_model

from gan_serve.extremes import extremes, try_extremes
from gan_serve.generator import Generator
from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Repository


def rows(metadata: ModelMetadata) -> dict[str, np.ndarray]:
    batches = list(extremes(metadata))
    return {tensor.name: np.concatenate([batch[tensor.name] for batch in batches]) for tensor in metadata.inputs}


def test_latents_are_zero_and_as_far_out_as_they_may_be_and_every_label_occurs() -> None:
    arrays = rows(DIGIT)
    assert set(arrays["label"].tolist()) == set(range(10))
    assert arrays["latent"].shape == (10, 16)
    constant = {row[0] for row in arrays["latent"].tolist() if len(set(row)) == 1}
    mixed = {tuple(sorted(set(row))) for row in arrays["latent"].tolist()} - {(each,) for each in constant}
    assert (constant, mixed) == ({0, 8, -8}, {(-8, 8)})
    assert {tuple(sorted(set(row))) for row in rows(PLAIN)["latent"].tolist()} == {(0,), (1,), (-1,), (-1, 1)}


def test_scalars_are_at_their_ends_with_each_of_the_latents() -> None:
    arrays = rows(STYLED)
    assert set(arrays["slant"].tolist()) == {-1, 0, 1}
    assert set(arrays["code"].tolist()) == {-2, 0, 2}
    together = {(row[0], slant) for row, slant in zip(arrays["latent"], arrays["slant"], strict=True)}
    assert together >= {(latent, slant) for latent in (0, 8, -8) for slant in (-1, 0, 1)}


def test_images_are_black_grey_and_white_and_masks_hide_nothing_or_all() -> None:
    batches = list(extremes(FILLER))
    assert {(batch["image"].shape, batch["hole"].shape) for batch in batches} == {((1, 3, 16, 16), (1, 1, 16, 16))}
    found = {
        (float(value), float(hole))
        for batch in batches
        for value in np.unique(batch["image"])
        for hole in np.unique(batch["hole"])
    }
    assert found == {(value, hole) for value in (0, 0.5, 1) for hole in (0, 1)}
    assert set(np.unique(rows(CLASSIFIER)["image"])) == {-1, 0, 1}


@pytest.mark.parametrize("metadata", [DIGIT, PLAIN, STYLED, CLASSIFIER, NOISY, ENLARGER, FILLER, MENDER])
def test_every_kind_of_model_can_be_tried(tmp_path: Path, metadata: ModelMetadata) -> None:
    save_model(tmp_path, metadata)
    generator = Generator(Repository(tmp_path).find(metadata.name))
    made = []
    try_extremes(metadata, lambda arrays: made.append(generator.infer(arrays)))
    assert len(made) >= 1
