"""The training command line. Its commands import what they need when they run, so that `--help` is fast."""

import sys
import warnings

import typer

from gan_serve.cli import report_errors
from gan_serve.system.home import with_homes
from gan_serve.system.interrupt import leave_at_signals
from gan_serve.system.text import open_streams
from training.cli import comparisons, models, training

app = typer.Typer(
    name="python -m training",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # it would treat a default in square brackets as markup and drop it
    help="Train GAN variants, export them to ONNX, score them and publish them into models/.",
)
for commands in (training.commands, models.commands, comparisons.commands):
    app.add_typer(commands)


def main() -> None:
    """Run the command line; print errors and warnings in one line each."""
    leave_at_signals()
    open_streams()
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # one line, without the source location
    warnings.filterwarnings("ignore", module="PIL")  # unreadable images are reported by name
    command = typer.main.get_command(app)
    arguments = with_homes(sys.argv[1:]) or ["--help"]
    sys.exit(report_errors(lambda: command.main(arguments, prog_name="python -m training", standalone_mode=False) or 0))


if __name__ == "__main__":
    main()
