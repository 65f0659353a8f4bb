"""Values in error messages."""

from hypothesis import given
from hypothesis import strategies as st

from gan_serve.errors import Failure, GanServeError, UsageError, short_repr


@given(st.one_of(st.text(), st.integers(), st.floats(), st.lists(st.text())))
def test_any_value_becomes_one_short_line(value: object) -> None:
    text = short_repr(value)
    assert len(text) <= 103
    assert text.isprintable()
    assert len(repr(value)) > 100 or text == " ".join(repr(value).split())


def test_a_value_that_cannot_be_printed_is_named_by_its_type() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert short_repr(Broken()) == "a value of type Broken"
    assert short_repr(10**5000) == "an integer of thousands of digits"


def test_the_exit_code_tells_wrong_usage_from_failure() -> None:
    assert (GanServeError.exit_code, Failure.exit_code, UsageError.exit_code) == (1, 1, 2)
