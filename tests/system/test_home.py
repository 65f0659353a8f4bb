"""`~` in paths."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_serve.system.home import with_home, with_homes


@pytest.mark.parametrize(
    ("path", "expected"),
    [("~", "/home/ada"), ("~/", "/home/ada/"), ("~/models/*.png", "/home/ada/models/*.png"), ("a/~/b", "a/~/b")],
)
def test_home_replaces_a_leading_tilde(monkeypatch: pytest.MonkeyPatch, path: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert with_home(path) == with_home(Path(path)) + ("/" if path == "~/" else "") == expected


def test_an_option_with_an_equals_sign_has_a_home_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    arguments = ["--output=~/a=~/b.png", "~/c.png", "--label=~x", "--grid", "-o", "a=~/b", "--=", ""]
    assert with_homes(arguments) == ["--output=/home/ada/a=~/b.png", *arguments[1:]]


def test_an_unknown_user_has_no_home() -> None:
    assert with_home("~nobody-has-this-name/models") == "~nobody-has-this-name/models"


@given(st.text().filter(lambda text: not text.startswith("~")))
def test_other_paths_are_unchanged(path: str) -> None:
    assert with_home(path) == path
