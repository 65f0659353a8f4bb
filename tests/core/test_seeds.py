"""Seeds and other integers."""

import numpy as np
import pytest

from gan_serve.errors import UsageError
from gan_serve.seeds import as_integer, checked_integer, random_seed


@pytest.mark.parametrize(("value", "number"), [(0, 0), (-3, -3), (2**70, 2**70), (np.uint64(2**64 - 1), 2**64 - 1)])
def test_integers_of_python_and_numpy_are_integers(value: object, number: int) -> None:
    assert as_integer(value) == number
    assert type(as_integer(value)) is int


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, [1], np.float32(1)])
def test_other_values_are_not_integers(value: object) -> None:
    assert as_integer(value) is None
    with pytest.raises(UsageError, match=r"^seed .* is not an integer from 0 to 9$"):
        checked_integer("seed", value, 0, 9)


def test_both_ends_of_a_range_belong_to_it() -> None:
    assert [checked_integer("seed", value, -1, 2) for value in range(-1, 3)] == [-1, 0, 1, 2]
    for value in (-2, 3):
        with pytest.raises(UsageError, match=f"^seed {value} is not an integer from -1 to 2$"):
            checked_integer("seed", value, -1, 2)


def test_a_random_seed_differs_each_time_and_is_short() -> None:
    seeds = {random_seed() for _ in range(50)}
    assert len(seeds) > 45
    assert 2**24 < max(seeds) < 2**32
