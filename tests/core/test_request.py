"""Requests: their images and their order, and invalid requests."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import CLASSIFIER, DIGIT, GREY, LATENT, STYLED, TURNED, metadata_of

from gan_serve.errors import UsageError
from gan_serve.latent_mixing import Interpolation, StyleMix
from gan_serve.request import Item, Request, check_pairs, make_request
from gan_serve.tensors import Label

TWO_LABELS = metadata_of(
    "paired", (LATENT, Label(name="one", classes=("a", "b")), Label(name="two", classes=("c", "d"))), GREY
)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(rows=st.integers(1, 4), count=st.integers(1, 5), index=st.integers(0, 99))
def test_places_run_through_the_images_of_one_row_after_the_other(rows: int, count: int, index: int) -> None:
    request = make_request(DIGIT, {"label": list(range(rows))}, seed=1, index=index, count=count)
    assert len(request) == rows * count
    assert [request.item(place) for place in range(len(request))] == [
        Item(index + number, {"label": row}) for row in range(rows) for number in range(count)
    ]


def test_a_walk_comes_of_each_row_and_has_as_many_images_as_steps() -> None:
    request = make_request(DIGIT, {"label": [3, 4]}, seed=1, mixing=Interpolation(seed=2, steps=3))
    assert (len(request), request.width) == (6, 3)
    assert [(item.inputs["label"], item.mixing.step, item.index) for item in map(request.item, range(6))] == [
        (3, 0, 0), (3, 1, 0), (3, 2, 0), (4, 0, 0), (4, 1, 0), (4, 2, 0),
    ]  # fmt: skip
    alone = make_request(DIGIT, {"label": [3, 4]}, seed=1, mixing=Interpolation(seed=2, steps=3, step=2))
    assert [(item.inputs["label"], item.mixing.step) for item in map(alone.item, range(len(alone)))] == [(3, 2), (4, 2)]


def test_a_mixture_has_every_image_of_one_seed_with_every_one_of_the_other() -> None:
    values = {"slant": 0.5, "code": 0.5}
    request = make_request(STYLED, values, seed=1, count=2, mixing=StyleMix(seed=2, latents=("latent",)))
    assert len(request) == 4
    alone = make_request(STYLED, values, seed=1, count=2, mixing=StyleMix(seed=2, latents=("latent",), index=5))
    assert [(item.index, item.mixing.index) for item in map(alone.item, range(len(alone)))] == [(0, 5), (1, 5)]


def test_every_value_of_one_input_meets_every_value_of_another_the_last_one_fastest() -> None:
    rows = make_request(TWO_LABELS, {"one": ["a", "b"], "two": ["c", "d"]}, seed=1).inputs
    assert rows == ({"one": 0, "two": 0}, {"one": 0, "two": 1}, {"one": 1, "two": 0}, {"one": 1, "two": 1})


def test_none_means_absent() -> None:
    assert make_request(DIGIT, {"label": None}, seed=1).inputs == ({},)


def test_as_many_images_as_are_allowed_and_no_more() -> None:
    assert len(make_request(DIGIT, {"label": "0-9"}, seed=1, count=2, max_images=20)) == 20
    with pytest.raises(UsageError, match=r"^20 images are too many for one request; ask for up to 19$"):
        make_request(DIGIT, {"label": "0-9"}, seed=1, count=2, max_images=19)
    with pytest.raises(UsageError, match=r"^30 images are too many"):
        make_request(DIGIT, {"label": "0-9"}, seed=1, mixing=Interpolation(seed=2, steps=3), max_images=29)
    with pytest.raises(UsageError, match=r"^9 images are too many"):
        make_request(STYLED, {}, seed=1, count=3, mixing=StyleMix(seed=2, latents=("latent",)), max_images=8)


def test_seeds_and_indices_have_64_bits() -> None:
    last = 2**64 - 1
    assert make_request(DIGIT, {}, seed=last, index=last).index == last
    assert make_request(DIGIT, {}, seed=0, index=last - 1, count=2).count == 2
    for wish, message in (
        ({"seed": last + 1}, f"seed {last + 1} is not an integer from 0 to {last}"),
        ({"seed": 0, "index": last + 1}, f"index {last + 1} is not an integer from 0 to {last}"),
        ({"seed": 0, "index": last, "count": 2}, "count 2 is not an integer from 1 to 1"),
        ({"seed": 0, "count": 2**63}, f"count {2**63} is not an integer from 1 to {2**63 - 1}"),
    ):
        with pytest.raises(UsageError, match=f"^{message}$"):
            make_request(DIGIT, {}, **wish)


def test_the_numbers_of_a_second_seed_have_the_same_limits() -> None:
    last = 2**64 - 1
    for seed in (0, last):
        for mixing in (
            Interpolation(seed=seed, steps=2, step=1),
            StyleMix(seed=seed, latents=("latent",), index=last - seed),
        ):
            assert make_request(STYLED, {}, seed=1, mixing=mixing).mixing == mixing
    for mixing, message in (
        (Interpolation(seed=last + 1, steps=2), f"walk_to {last + 1} is not an integer from 0 to {last}"),
        (Interpolation(seed=-1, steps=2), f"walk_to -1 is not an integer from 0 to {last}"),
        (Interpolation(seed=2, steps=1), f"steps 1 is not an integer from 2 to {2**63 - 1}"),
        (Interpolation(seed=2, steps=5, step=5), "step 5 is not an integer from 0 to 4"),
        (Interpolation(seed=2, steps=5, step=-1), "step -1 is not an integer from 0 to 4"),
        (StyleMix(seed=-1, latents=("latent",)), f"mix_with -1 is not an integer from 0 to {last}"),
        (StyleMix(seed=last + 1, latents=("latent",)), f"mix_with {last + 1} is not an integer from 0 to {last}"),
        (
            StyleMix(seed=2, latents=("latent",), index=last + 1),
            f"mix_index {last + 1} is not an integer from 0 to {last}",
        ),
    ):
        with pytest.raises(UsageError, match=f"^{message}$"):
            make_request(STYLED, {}, seed=1, mixing=mixing)


def test_an_unknown_input_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"^digits has no input 'lable' \(did you mean label\?\); it takes label$"):
        make_request(DIGIT, {"lable": 3})
    with pytest.raises(UsageError, match=r"^paired has no input 'zzz'; it takes one, two$"):
        make_request(TWO_LABELS, {"zzz": 3})
    with pytest.raises(UsageError, match=r"^bare has no input 'zzz'; it takes none$"):
        make_request(replace(TURNED, name="bare", inputs=(LATENT,)), {"zzz": 3})


def test_a_deterministic_model_has_seed_0_and_one_output() -> None:
    image = {"image": np.zeros((1, 8, 8), np.float32)}
    assert make_request(CLASSIFIER, image).seed == 0
    with pytest.raises(UsageError, match=r"^classifier is deterministic: a count of 2 would repeat the same"):
        make_request(CLASSIFIER, image, count=2)
    with pytest.raises(UsageError, match=r"^classifier needs image: \w"):
        make_request(CLASSIFIER, {})


def test_images_for_several_inputs_are_as_many_of_each_or_one_for_all() -> None:
    for counts in ({"image": 3, "mask": 3}, {"image": 3, "mask": 1}, {"image": 1, "mask": 3}, {"image": 1}, {}):
        check_pairs(counts)
    with pytest.raises(
        UsageError, match=r"there are 3 of image and 2 of mask; give the same number of each, or one for all$"
    ):
        check_pairs({"image": 3, "mask": 2})


def test_a_request_without_images_of_another_seed_is_as_wide_as_one() -> None:
    assert Request(1, 0, 5, ({}, {})).width == 1
    assert len(Request(1, 0, 5, ({}, {}))) == 10
