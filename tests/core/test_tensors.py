from typing import Any

import numpy as np
import pytest
from small_models import DIGITS

from gan_serve import UsageError
from gan_serve.tensors import Image, Label, Mask, Scalar

LABEL = Label(name="label", classes=DIGITS)
GARMENT = Label(name="label", classes=("T-shirt/top", "Trouser", "Bag, small"))
SCALAR = Scalar(name="tilt", low=-1, high=1, default=0)


@pytest.mark.parametrize(
    ("value", "indices"),
    [
        (3, [3]),
        (np.int64(3), [3]),
        ("3", [3]),
        ("three", [3]),
        ("THREE", [3]),
        ("0-3", [0, 1, 2, 3]),
        ("3-1", [3, 2, 1]),
        ("0, 2,5-7", [0, 2, 5, 6, 7]),
        ([0, "seven", "2-3"], [0, 7, 2, 3]),
        (range(3), [0, 1, 2]),
        (np.arange(2), [0, 1]),
    ],
)
def test_label_is_an_index_a_name_a_list_or_a_range(value: object, indices: list[int]) -> None:
    assert LABEL.parse(value) == indices


@pytest.mark.parametrize(
    ("classes", "value", "names"),
    [
        (("1", "10", "2"), 1, ["1"]),
        (("1", "10", "2"), np.int64(10), ["10"]),
        (("1", "10", "2"), "2", ["2"]),
        (("1", "10", "2"), "1-2", ["1", "2"]),
        (("1", "10", "2"), "10-1", ["10", "2", "1"]),
        (("1", "10", "2"), [10, "1"], ["10", "1"]),
        (("01", "02", "10"), 1, ["01"]),
        (("01", "02", "10"), "2", ["02"]),
        (("-1", "0", "1"), -1, ["-1"]),
        (("-1", "0", "1"), "-1-1", ["-1", "0", "1"]),
        (("1", "2", "other"), 1, ["2"]),
        (("Cat", "cat"), "cat", ["cat"]),
        (("Cat", "dog"), "CAT", ["Cat"]),
    ],
)
def test_an_integer_is_the_class_of_that_name_if_all_names_are_numbers(
    classes: tuple[str, ...], value: object, names: list[str]
) -> None:
    label = Label(name="label", classes=classes)
    assert [label.text_of(number) for number in label.parse(value)] == names
    assert [label.classes[label.encode(number)] for number in label.parse(value)] == names


@pytest.mark.parametrize(
    ("classes", "hint"),
    [
        (("1", "10", "2"), "1, 10, 2"), (("1", "2", "3"), "1-3"), (("-1", "0"), "-1, 0"),
        (("a", "1"), "0-1 or a class name: a, 1"),
    ],
)  # fmt: skip
def test_an_unknown_number_is_rejected_with_the_known_ones(classes: tuple[str, ...], hint: str) -> None:
    for value in (7, "7", "0-7", [7]):
        with pytest.raises(UsageError, match=rf"^label .*does not exist; use {hint}$"):
            Label(name="label", classes=classes).parse(value)


def test_class_names_may_hold_hyphens_and_commas() -> None:
    assert GARMENT.parse("t-shirt/top") == [0]
    assert GARMENT.parse("Bag, small") == [2]
    assert GARMENT.parse("Trouser,T-shirt/top") == [1, 0]


@pytest.mark.parametrize(
    "value", [10, -1, "10", "-1", "ten", "0-10", "", "1,,2", 3.0, True, None, "99999999999999999999", [11]]
)
def test_an_unknown_label_is_rejected_with_the_known_ones(value: object) -> None:
    with pytest.raises(UsageError, match="use 0-9 or a class name: zero, one"):
        LABEL.parse(value)


@pytest.mark.parametrize(
    ("value", "numbers"), [(0.5, [0.5]), ("0.5", [0.5]), ("-1,0,1", [-1, 0, 1]), ([0, "1"], [0, 1])]
)
def test_scalar_is_a_number_or_a_list(value: object, numbers: list[float]) -> None:
    assert SCALAR.parse(value) == numbers


@pytest.mark.parametrize("value", ["x", "", 2, "-1.1", float("nan"), "inf", None, 10**400])
def test_scalar_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="a number from -1 to 1"):
        SCALAR.parse(value)


@pytest.mark.parametrize("default", [2, (-1, 1), (1, 0)])
def test_scalar_default_must_be_in_range(default: float | tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="outside"):
        Scalar(name="tilt", low=0, high=1, default=default)


def image(**fields: Any) -> Image:
    return Image(**{"name": "image", "channels": 3, "height": None, "width": None} | fields)


def test_an_image_has_a_fixed_size_or_any() -> None:
    assert image(height=4, width=6).shape == image(height=4, width=6).shape_at(8, 9) == (3, 4, 6)
    assert image().shape == (3, -1, -1)
    assert image().shape_at(8, 9) == (3, 8, 9)
    assert Mask(name="hole", height=None, width=None).shape_at(8, 9) == (1, 8, 9)
    assert "made RGB" in image().hint
    assert "made 6x4 grey)" in image(channels=1, height=4, width=6).hint
    assert "made 6x4 RGB and padded)" in image(height=4, width=6, fit="pad").hint
    assert image(like="photo", scale=4).look == "RGB, 4 times as large as photo"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"height": 8}, "the size Nonex8"),
        ({"height": 0, "width": 8}, "the size 8x0"),
        ({"height": 8, "width": 8, "multiple": 4}, "a fixed size, so it can have neither a multiple nor tiles"),
        ({"height": 8, "width": 8, "tile": 4}, "a fixed size"),
        ({"multiple": 0}, "the multiple 0, which is not positive"),
        ({"overlap": 4}, "tiles of None pixels that overlap by 4"),
        ({"tile": 64, "overlap": 33}, "tiles of 64 pixels that overlap by 33"),
        ({"tile": 64, "overlap": 31, "multiple": 4}, "tiles of 64 pixels that overlap by 31"),
        ({"tile": 66, "multiple": 4}, "tiles of 66 pixels"),
        ({"tile": 0}, "tiles of 0 pixels"),
        ({"scale": 4}, "the scale 4; it must be positive, and above 1 it needs `like`"),
        ({"scale": 0, "like": "photo"}, "the scale 0; it must be positive"),
    ],
)
def test_an_image_whose_size_makes_no_sense_is_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        image(**fields)
