"""Walks between seeds, and mixtures of them."""

from pathlib import Path

import numpy as np
import pytest

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.explore import mix, walk


def load(model: str, root: Path) -> "gan_serve.generator.Generator":
    return gan_serve.load(model, models=root, device="cpu")


@pytest.mark.parametrize("model", ["turned", "plain"])
def test_a_walk_goes_from_one_image_to_the_other_without_a_leap(models: Path, model: str) -> None:
    generator = load(model, models)
    frames = walk(generator, 1, 2, steps=9)
    pixels = np.array([np.asarray(frame, float) for frame in frames])
    for end, seed in ((pixels[0], 1), (pixels[-1], 2)):
        assert (end == np.asarray(generator.generate(seed=seed).images()[0])).all()
    steps = np.abs(np.diff(pixels, axis=0)).mean((1, *range(2, pixels.ndim)))
    assert steps.max() < np.abs(pixels[-1] - pixels[0]).mean()


def test_a_walk_keeps_what_is_set_and_the_class_that_was_drawn(models: Path) -> None:
    digits = load("digits", models)
    drawn = digits.generate(seed=1).items[0].inputs["label"]
    assert walk(digits, 1, 2, steps=3)[2] == walk(digits, 1, 2, steps=3, label=drawn)[2]
    assert walk(digits, 1, 1, steps=2, label=4)[1] == digits.generate(label=4, seed=1).images()[0]


def test_a_mixture_shares_what_is_not_taken_along_rows(tmp_path: Path) -> None:
    from small_models import STYLED, save_model

    save_model(tmp_path, STYLED)
    generator = load("styled", tmp_path)
    own = [np.asarray(each) for each in generator.generate(3, seed=1, code=0).images()]
    same = mix(generator, 1, 1, taken=["second_latent"], size=3, code=0)
    assert [(np.asarray(same[place * 4]) == own[place]).all() for place in range(3)] == [True] * 3
    mixed = mix(generator, 1, 2, taken=["second_latent"], size=3, code=0)
    assert len({each.tobytes() for each in mixed}) == 9
    assert mix(generator, 1, 2, taken=[], size=2, code=0)[0] == mix(generator, 1, 2, taken=[], size=2, code=0)[1]


def test_what_cannot_be_explored_is_told(models: Path) -> None:
    with pytest.raises(UsageError, match="goes nowhere"):
        walk(load("digits", models), 1, 2, steps=1)
    with pytest.raises(UsageError, match="has no latent 'other'; it has latent"):
        mix(load("digits", models), 1, 2, taken=["other"])
    with pytest.raises(UsageError, match="inverter needs image"):
        walk(load("inverter", models), 1, 2)
