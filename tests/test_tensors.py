import numpy as np
import pytest
from small_models import DIGITS

from gan_serve import UsageError
from gan_serve.tensors import Label, Scalar

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


def test_class_names_may_hold_hyphens_and_commas() -> None:
    assert GARMENT.parse("t-shirt/top") == [0]
    assert GARMENT.parse("Bag, small") == [2]
    assert GARMENT.parse("Trouser,T-shirt/top") == [1, 0]


@pytest.mark.parametrize(
    "value", [10, -1, "10", "-1", "ten", "0-10", "", "1,,2", 3.0, True, None, "99999999999999999999", [11]]
)
def test_label_that_does_not_exist_is_refused_with_what_does(value: object) -> None:
    with pytest.raises(UsageError, match="use 0-9 or a class name: zero, one"):
        LABEL.parse(value)


@pytest.mark.parametrize(
    ("value", "numbers"), [(0.5, [0.5]), ("0.5", [0.5]), ("-1,0,1", [-1, 0, 1]), ([0, "1"], [0, 1])]
)
def test_scalar_is_a_number_or_a_list(value: object, numbers: list[float]) -> None:
    assert SCALAR.parse(value) == numbers


@pytest.mark.parametrize("value", ["x", "", 2, "-1.1", float("nan"), "inf", None])
def test_scalar_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="a number from -1 to 1"):
        SCALAR.parse(value)


@pytest.mark.parametrize("default", [2, (-1, 1), (1, 0)])
def test_scalar_default_must_be_in_range(default: float | tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="outside"):
        Scalar(name="tilt", low=0, high=1, default=default)
