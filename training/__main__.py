"""The training command line: `python -m training --help`."""

import sys
import warnings

import typer

from gan_serve.cli import report_errors
from gan_serve.system.interrupt import leave_at_signals
from gan_serve.system.text import open_streams
from training.cli import comparisons, models, training

app = typer.Typer(
    name="python -m training",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # it would take a default in square brackets for markup, and leave it out
    help="Train GAN variants, export them to ONNX, score them and publish them into models/.",
)
for commands in (training.commands, models.commands, comparisons.commands):
    app.add_typer(commands)


def main() -> None:
    """Run the command line; whatever goes wrong is one line."""
    leave_at_signals()
    open_streams()
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # one line, without the code's place
    warnings.filterwarnings("ignore", module="PIL")  # what cannot be read of an image is told with its name
    command = typer.main.get_command(app)
    arguments = sys.argv[1:] or ["--help"]
    sys.exit(report_errors(lambda: command.main(arguments, prog_name="python -m training", standalone_mode=False) or 0))


if __name__ == "__main__":
    main()
