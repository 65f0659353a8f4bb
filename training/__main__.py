"""The training command line: `python -m training --help`."""

import sys
import warnings

import typer

from gan_serve.errors import GanServeError
from gan_serve.text import open_streams
from training.cli import comparisons, models, training

app = typer.Typer(
    name="python -m training", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Train GAN variants, export them to ONNX, score them and publish them into models/.",
)  # fmt: skip
for commands in (training.commands, models.commands, comparisons.commands):
    app.add_typer(commands)


def main() -> None:
    """Run the command line; an error of the user's is one line."""
    open_streams()
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # one line, without the code's place
    warnings.filterwarnings("ignore", module="PIL")  # what cannot be read of an image is told with its name
    try:
        app()
    except GanServeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
