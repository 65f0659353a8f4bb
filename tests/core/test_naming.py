"""Default file names: descriptive, valid on every file system, and unique."""

import re
from collections.abc import Sequence

import pytest
from small_models import CLASSIFIER, DIGIT, TURNED

from gan_serve.image_inputs import ImageRef
from gan_serve.latent_mixing import Interpolation, StyleMix
from gan_serve.naming import item_stem, request_stem
from gan_serve.request import Item, Request


def of_labels(labels: Sequence[int], **fields: int) -> str:
    request = Request(
        **{"seed": 7, "index": 0, "count": 1} | fields, inputs=tuple({"label": label} for label in labels)
    )
    return request_stem(DIGIT, request)


@pytest.mark.parametrize(
    ("labels", "part"),
    [
        ([3], "label3"),
        ([1, 2], "label1,2"),
        ([1, 2, 3], "label1-3"),
        (range(10), "label0-9"),
        ([3, 2, 1], "label3,2,1"),
        ([1, 2, 4, 5], "label1,2,4,5"),
        ([1, 2, 4, 5, 7], "label1...7"),
        ([3, 3, 3], "label3"),
    ],
)
def test_a_requests_name_contains_its_rows(labels: Sequence[int], part: str) -> None:
    assert of_labels(labels) == f"digits-{part}-seed7"


def test_a_requests_name_contains_values_that_are_not_the_default() -> None:
    assert of_labels([3], index=2) == "digits-label3-seed7-index2"
    assert of_labels([3], count=2) == "digits-label3-seed7-count2"
    assert of_labels([3], index=1, count=9) == "digits-label3-seed7-index1-count9"


def test_a_job_with_a_random_seed_is_found_without_it() -> None:
    assert request_stem(DIGIT, Request(7, 0, 9, ({"label": 3},)), with_seed=False) == "digits-label3-count9"


@pytest.mark.parametrize(
    ("mixing", "part"),
    [
        (Interpolation(seed=8, steps=5), "to8-steps5"),
        (Interpolation(seed=8, steps=5, step=0), "to8-steps5-step00000"),
        (StyleMix(seed=8, latents=("one", "two")), "with8-one,two"),
        (StyleMix(seed=8, latents=("one",), index=0), "with8-one-index00000"),
    ],
)
def test_a_name_contains_the_second_seed(mixing: Interpolation | StyleMix, part: str) -> None:
    assert (
        request_stem(TURNED, Request(7, 0, 1, ({"tilt_angle": 0.5},), mixing))
        == f"turned-grey-tilt_angle0.5-seed7-{part}"
    )
    assert (
        item_stem(TURNED, 7, Item(3, {"tilt_angle": 0.5}, mixing))
        == f"turned-grey-tilt_angle0.5-seed7-index00003-{part}"
    )


def test_names_of_images_sort_by_their_index() -> None:
    names = [item_stem(DIGIT, 7, Item(index, {"label": 3})) for index in (0, 9, 10, 999, 99_999)]
    assert names[0] == "digits-label3-seed7-index00000"
    assert names == sorted(names)


def of_image(file: str | None, sha256: str = "0" * 64) -> str:
    return item_stem(CLASSIFIER, 7, Item(0, {"image": ImageRef(file, sha256)}))


def of_images(*files: str) -> str:
    return request_stem(CLASSIFIER, Request(0, 0, 1, tuple({"image": ImageRef(file, "0" * 64)} for file in files)))


def test_a_name_contains_the_input_image_and_no_seed_for_a_deterministic_model() -> None:
    assert re.fullmatch(r"classifier-my_cat-[0-9a-f]{8}", of_image("my  cat.png"))
    assert re.fullmatch(r"classifier-array-[0-9a-f]{8}", of_image(None))
    assert re.fullmatch(r"classifier-a{40}-[0-9a-f]{8}", of_image(f"{'a' * 50}.png"))
    assert re.fullmatch(r"classifier-_-[0-9a-f]{8}", of_image("\udcff.png")), "a name that is not UTF-8"
    assert len({of_image("x.png"), of_image("x.jpg"), of_image("x.png", "1" * 64)}) == 3
    assert re.fullmatch(r"classifier-a-[0-9a-f]{8},b-[0-9a-f]{8}", of_images("a.png", "b.png"))
    long = of_images(*(f"{letter * 30}.png" for letter in "abc"))
    assert re.fullmatch(r"classifier-a{30}-[0-9a-f]{8}\.\.\.c{30}-[0-9a-f]{8}", long)


def test_long_names_are_shortened_and_stay_unique() -> None:
    names = [
        request_stem(
            TURNED, Request(7, 0, 1, ({"tilt_angle": 0.5},), StyleMix(seed=8, latents=(f"{'ä' * 150}{last}",)))
        )
        for last in ("x", "y")
    ]
    assert len(set(names)) == 2
    for name in names:
        assert 200 < len(name.encode()) <= 210
        assert name.startswith("turned-grey-tilt_angle0.5-seed7-with8-ää")
