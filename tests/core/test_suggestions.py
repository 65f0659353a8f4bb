"""Suggestions for misspelled names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_serve.suggestions import nearest

NAMES = ("label", "truncation", "Code")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lable", " (did you mean label?)"),
        ("LABEL", " (did you mean label?)"),
        ("code", " (did you mean Code?)"),
        ("", ""),
        ("zzz", ""),
    ],
)
def test_a_similar_name_is_suggested_as_it_is_spelled(name: str, expected: str) -> None:
    assert nearest(name, NAMES) == expected


def test_several_similar_names_are_suggested() -> None:
    assert nearest("mode", ["model", "modes"]) in (
        " (did you mean model or modes?)",
        " (did you mean modes or model?)",
    )


@given(st.sampled_from(NAMES), st.integers(0, 9))
def test_one_missing_letter_is_forgiven(name: str, place: int) -> None:
    place %= len(name)
    assert name in nearest(name[:place] + name[place + 1 :], NAMES)
