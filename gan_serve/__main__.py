"""The program `gan-serve`, which is `python -m gan_serve`, too."""

import gc

from gan_serve.system.interrupt import leave_at_signals


def main() -> None:
    """Run the command line."""
    leave_at_signals()
    # Importing makes many objects and no garbage, so looking for some after every 700 of them is time lost.
    gc.set_threshold(100_000)
    from gan_serve import cli

    cli.main()


if __name__ == "__main__":
    main()
