"""The program `gan-serve`, which is `python -m gan_serve`, too."""

import gc
import os
import signal


def main() -> None:
    """Run the command line."""
    # Importing makes many objects and no garbage, so looking for some after every 700 of them is time lost.
    gc.set_threshold(100_000)
    if os.getpid() == 1:  # of a container, where a signal that nothing handles does nothing
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))
    from gan_serve import cli

    cli.main()


if __name__ == "__main__":
    main()
