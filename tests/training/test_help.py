"""The help of every command of both programs tells what is left out where nothing is given."""

import re
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from gan_serve.cli import _COMMANDS
from gan_serve.cli import run as serve
from training.__main__ import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def words(text: str) -> str:
    return " ".join(text.split())


def notes(text: str) -> list[str]:
    """What stands in square brackets."""
    return re.findall(r"\[[^\]]+\]", words(text))


def lost(text: str) -> list[str]:
    """Where something was left out of a sentence."""
    return re.findall(r"\S* \.(?:\s|$)", text)


def helps() -> Iterator[tuple[str, str, str]]:
    """Each option of `python -m training`: the command, the option, and what the code says of it."""
    for name, command in COMMANDS.items():
        for parameter in command.params:
            yield name, parameter.name, getattr(parameter, "help", None) or ""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_training_command_is_whole(name: str) -> None:
    shown = words(CliRunner().invoke(app, [name, "--help"]).stdout)
    assert not lost(shown)
    for command, _, text in helps():
        if command == name:
            assert words(text) in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_if_not_given(name: str) -> None:
    shown = words(CliRunner().invoke(app, [name, "--help"]).stdout)
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name != "option" or parameter.is_flag or parameter.required:
            continue
        said = parameter.default is not None or "[default: " in (parameter.help or "")
        assert said, f"{name} {parameter.opts[0]} does not say what it is if not given"
    given = [each for each in COMMANDS[name].params if not getattr(each, "is_flag", False) and each.default is not None]
    assert shown.count("[default: ") >= len(given)


@pytest.mark.parametrize("name", [*_COMMANDS, ""])
def test_the_help_of_a_serving_command_is_whole(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve([*([name] if name else []), "--help"]) == 0
    shown = capsys.readouterr().out
    assert not lost(words(shown))
    assert "Options:" in shown
