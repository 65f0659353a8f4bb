"""Inputs sampled from seeds, and interpolated between two seeds."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import LATENT

from gan_serve.latent_mixing import Interpolation
from gan_serve.request import Item
from gan_serve.sampling import complete, input_arrays
from gan_serve.tensors import Label, Latent, Scalar

FLAT = replace(LATENT, distribution="uniform")
LETTER = Label(name="letter", classes=("a", "b", "c"))
SLANT = Scalar(name="slant", low=-3, high=3, default=(-1, 2))
WIDTH = Scalar(name="width", low=0, high=1, default=0.25)
WORD = st.integers(0, 2**64 - 1)


def latents(tensor: Latent, seed: int, items: Sequence[Item]) -> np.ndarray:
    return input_arrays([tensor], seed, items)[tensor.name]


def walk(tensor: Latent, steps: int, seed: int = 1, to: int = 2, index: int = 0) -> np.ndarray:
    return latents(
        tensor, seed, [Item(index, {}, Interpolation(seed=to, steps=steps, step=step)) for step in range(steps)]
    )


@settings(derandomize=True, max_examples=20, deadline=None)
@given(seed=WORD, index=WORD)
def test_an_array_has_a_row_for_each_item_in_the_type_that_a_session_takes(seed: int, index: int) -> None:
    item = complete([LETTER, SLANT, WIDTH], seed, Item(index, {}))
    arrays = input_arrays([LATENT, LETTER, SLANT, WIDTH], seed, [item, item])
    assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == {
        "latent": ((2, 16), "float32"),
        "letter": ((2,), "int64"),
        "slant": ((2,), "float32"),
        "width": ((2,), "float32"),
    }
    for array in arrays.values():
        assert np.isfinite(array).all()
        np.testing.assert_array_equal(array[0], array[1])


def test_a_missing_input_is_sampled_from_its_whole_range_or_is_its_default() -> None:
    drawn = [complete([LETTER, SLANT, WIDTH], 7, Item(index, {})).inputs for index in range(600)]
    letters = np.bincount([each["letter"] for each in drawn])
    assert len(letters) == 3
    assert letters.min() > 150
    slants = np.array([each["slant"] for each in drawn])
    assert -1 <= slants.min() < -0.98
    assert 1.98 < slants.max() < 2
    assert abs(slants.mean() - 0.5) < 0.1
    assert {each["width"] for each in drawn} == {0.25}
    given = {"letter": 2, "slant": 3.0, "width": 1.0}
    assert complete([LETTER, SLANT, WIDTH], 7, Item(0, given)) == Item(0, given)


def test_samples_never_change() -> None:
    drawn = [complete([LETTER, SLANT], 7, Item(index, {})).inputs for index in range(3)]
    assert [each["letter"] for each in drawn] == [2, 1, 0]
    np.testing.assert_allclose(
        [each["slant"] for each in drawn], [-0.20172426530119036, 1.293209820917192, 0.4236432905051766], rtol=1e-12
    )


@settings(derandomize=True, max_examples=20, deadline=None)
@given(seed=WORD, to=WORD, index=WORD)
def test_a_walk_begins_and_ends_with_the_noise_of_its_seeds(seed: int, to: int, index: int) -> None:
    for tensor in (LATENT, FLAT):
        on_the_way = walk(tensor, 4, seed, to, index)
        np.testing.assert_array_equal(on_the_way[0], latents(tensor, seed, [Item(index, {})])[0])
        np.testing.assert_array_equal(on_the_way[-1], latents(tensor, to, [Item(index, {})])[0])


def test_uniform_noise_walks_straight_in_equal_steps() -> None:
    on_the_way = walk(FLAT, 5)
    np.testing.assert_allclose(on_the_way, np.linspace(on_the_way[0], on_the_way[-1], 5), atol=1e-6)


def test_normal_noise_walks_along_an_arc_so_that_it_keeps_its_length() -> None:
    on_the_way = walk(LATENT, 5).astype(float)
    start, goal = on_the_way[0], on_the_way[-1]
    angle = math.acos(start @ goal / math.sqrt((start @ start) * (goal @ goal)))
    arc = [(math.sin((1 - t) * angle) * start + math.sin(t * angle) * goal) / math.sin(angle) for t in (0.25, 0.5)]
    np.testing.assert_allclose(on_the_way[1:3], arc, atol=1e-6)
    lengths = np.linalg.norm(on_the_way, axis=1)
    assert lengths.min() > 0.99 * lengths[[0, -1]].min(), "a straight line would come nearer to 0"


def test_a_walk_to_its_own_seed_stays_there() -> None:
    for tensor in (LATENT, FLAT):
        on_the_way = walk(tensor, 4, seed=1, to=1)
        np.testing.assert_allclose(on_the_way, on_the_way[[0]].repeat(4, axis=0), atol=1e-6)
