"""Class names that are numbers, and the order of class names."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gan_serve.class_names import class_numbers, in_order, number_in

SMALL = st.integers(-(10**14), 10**15 - 1)


@given(SMALL)
def test_a_number_is_read_back(number: int) -> None:
    assert number_in(str(number)) == number
    assert number_in(f"{number:015}") == number


@settings(max_examples=50)
@given(st.text(max_size=20) | st.integers().map(str))
def test_text_is_a_number_only_if_it_has_ascii_digits_alone(text: str) -> None:
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 15
    assert (number_in(text) is not None) == is_number


def test_classes_have_numbers_only_if_all_do_and_none_is_repeated() -> None:
    assert class_numbers(("10", "-1", "03")) == (10, -1, 3)
    assert class_numbers(("1", "two")) is None
    assert class_numbers(("1", "01")) is None


@given(st.sets(SMALL))
def test_numbers_are_sorted_by_value(numbers: set[int]) -> None:
    assert in_order(map(str, numbers)) == tuple(map(str, sorted(numbers)))


@given(st.sets(st.text(max_size=3), min_size=1))
def test_names_with_a_word_among_them_are_sorted_as_text(names: set[str]) -> None:
    assert in_order({*names, "word"}) == tuple(sorted({*names, "word"}))
