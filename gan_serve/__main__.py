"""Entry point of `gan-serve` and `python -m gan_serve`."""

import gc

from gan_serve.system.interrupt import leave_at_signals


def main() -> None:
    """Run the command line."""
    leave_at_signals()
    # Imports create many objects and no garbage: collecting after every 700 allocations would only cost time.
    gc.set_threshold(100_000)
    from gan_serve import cli

    cli.main()


if __name__ == "__main__":
    main()
