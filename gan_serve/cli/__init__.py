"""The command line. Commands import their dependencies when they run, which keeps `--help` fast."""

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, NoReturn

import typer

from gan_serve import __version__
from gan_serve.cli.options import report, with_examples
from gan_serve.errors import GanServeError, UsageError, short_repr
from gan_serve.suggestions import nearest
from gan_serve.system.home import with_homes
from gan_serve.system.text import open_streams

# The module and function of each command. Only the called one is imported.
_COMMANDS = {
    "generate": "generate:generate",
    "translate": "translate:translate",
    "list": "models:list_models",
    "info": "models:info",
    "reproduce": "reproduce:reproduce",
    "doctor": "doctor:doctor",
    "serve": "serve:serve",
    "health": "health:health",
    "demo": "demo:demo",
}
_EXAMPLES = (
    "Examples:",
    "gan-serve list",
    "gan-serve info NAME",
    "gan-serve generate --model NAME --count 16 --grid --seed 42",
    "gan-serve generate --model NAME --help      the inputs of that model",
)


def main() -> NoReturn:
    """Run the command in `sys.argv`, and end the process."""
    # Pillow warns about damage that it can repair. Other damage raises an error, which is reported in one line.
    warnings.filterwarnings("ignore", module="PIL")
    _open_closed_streams()
    open_streams()
    code = run(sys.argv[1:])
    # Skip Python's own shutdown, which would take as long as generating an image.
    os._exit(code)


def _open_closed_streams() -> None:
    """Replace standard streams that the caller closed, whose numbers the next files would otherwise get.

    Reading such a stdin or writing to such a stdout is an error, as in other programs.
    """
    for number, (name, mode, flags) in enumerate(
        (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
    ):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, flags), number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def run(arguments: Sequence[str]) -> int:
    """Run a command, and return its exit code. Errors are printed in one line on stderr."""
    return report_errors(lambda: _run(with_homes(arguments)))


def report_errors(command: Callable[[], int]) -> int:
    """Run a function, print the error that it raises in one line on stderr, and return the exit code."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except GanServeError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        return 1  # the reader of the pipe has closed it
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", 1)


def _run(arguments: list[str]) -> int:
    for name in arguments[:1]:
        if name not in _COMMANDS and not name.startswith("-"):
            raise UsageError(f"no command {short_repr(name)}{nearest(name, _COMMANDS)}; use {', '.join(_COMMANDS)}")
    app = typer.Typer(
        name="gan-serve",
        help="Generate images with classic GANs, on ONNX Runtime.\n\n\b\n" + "\n".join(_EXAMPLES),
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_options)
    named = [name for name in _COMMANDS if [name] == arguments[:1]]
    for name in named or _COMMANDS:
        _add_command(app, name, arguments)
    command = typer.main.get_command(app)
    return command.main(arguments or ["--help"], prog_name="gan-serve", standalone_mode=False) or 0


def _add_command(app: typer.Typer, name: str, arguments: list[str]) -> None:
    module, _, function = _COMMANDS[name].partition(":")
    command = getattr(importlib.import_module(f"gan_serve.cli.{module}"), function)
    if name in ("generate", "translate"):
        from gan_serve.cli.model_options import CONTEXT, with_model_options

        app.command(name, context_settings=CONTEXT)(with_model_options(command, arguments))
    elif name in ("serve", "demo"):
        from gan_serve.cli.serve import with_settings

        app.command(name, help=with_examples(command))(with_settings(command, arguments))
    else:
        app.command(name, help=with_examples(command))(command)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"gan-serve {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_print_version)] = False,
) -> None:
    pass


def _fail(message: str, code: int) -> int:
    report(message)
    return code
