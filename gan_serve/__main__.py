"""The program `gan-serve`, which is `python -m gan_serve`, too."""

import gc
import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Run the command line."""
    # Importing makes many objects and no garbage, so looking for some after every 700 of them is time lost.
    gc.set_threshold(100_000)
    if os.getpid() == 1:  # of a container, where a signal that nothing handles does nothing
        signal.signal(signal.SIGTERM, _leave)
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # whose exception nobody expects in the middle of an import
        signal.signal(signal.SIGINT, _leave)
    from gan_serve import cli

    signal.signal(signal.SIGINT, before)
    cli.main()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
