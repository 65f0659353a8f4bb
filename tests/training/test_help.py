"""The help of every command of both programs is complete and states each option's default."""

import re
import subprocess
import sys
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


def lost(text: str) -> list[str]:
    """Find sentences that lost their last word."""
    return re.findall(r"\S* \.(?:\s|$)", text)


def helps() -> Iterator[tuple[str, str, str]]:
    """Yield the command, the name and the help of each option of `python -m training`."""
    for name, command in COMMANDS.items():
        for parameter in command.params:
            yield name, parameter.name, getattr(parameter, "help", None) or ""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_training_command_is_complete(name: str) -> None:
    shown = words(CliRunner().invoke(app, [name, "--help"]).stdout)
    assert not lost(shown)
    for command, _, text in helps():
        if command == name:
            assert words(text) in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_states_its_default(name: str) -> None:
    shown = words(CliRunner().invoke(app, [name, "--help"]).stdout)
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name != "option" or parameter.is_flag or parameter.required:
            continue
        has_default = parameter.default is not None or "[default: " in (parameter.help or "")
        assert has_default, f"{name} {parameter.opts[0]} does not state its default"
    defaults = [
        each for each in COMMANDS[name].params if not getattr(each, "is_flag", False) and each.default is not None
    ]
    assert shown.count("[default: ") >= len(defaults)


@pytest.mark.parametrize("name", [*_COMMANDS, ""])
def test_the_help_of_a_serving_command_is_complete(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve([*([name] if name else []), "--help"]) == 0
    shown = capsys.readouterr().out
    assert not lost(words(shown))
    assert "Options:" in shown


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["publish", "--help"], ["zoo", "--help"]])
def test_the_help_of_training_does_not_import_torch(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom training.__main__ import main\n"
        "try: main()\nfinally: print([name for name in ('torch', 'numpy', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
