"""Handle SIGINT and SIGTERM: leave at once, or stop long work between two steps, never inside one.

Programs import this module first, so that Ctrl-C during their other imports also ends with one line. It therefore
imports almost nothing.
"""

from __future__ import annotations

# The C part of the module `signal`, without its enumerations, which are slow to import.
import _signal as signal  # type: ignore[import-not-found]
import contextlib
import os
from collections.abc import Iterator

TYPE_CHECKING = False  # instead of the constant in `typing`, which is slow to import
if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

_MESSAGES = {signal.SIGINT: b"interrupted\n", signal.SIGTERM: b"terminated\n"}
_SHOW_CURSOR = b"\n\x1b[?25h"  # a progress bar hides the cursor
_unfinished: set[Path] = set()


def leave_at_signals() -> None:
    """Let SIGINT and SIGTERM end this process with one line, and remove unfinished files.

    They raise no exception, which could interrupt an import, or be caught by a library. An ignored signal, as in a
    shell's background job, stays ignored.
    """
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) == usual:
            signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    for path in tuple(_unfinished):
        _remove(path)
    with contextlib.suppress(OSError):  # stderr may be closed
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + _MESSAGES[number])
    os._exit(128 + number)


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Remove the file or folder that this block creates, unless the block finishes."""
    _unfinished.add(path)
    try:
        yield
    except BaseException:
        _remove(path)
        raise
    finally:
        _unfinished.discard(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        import shutil

        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list, which the work in this block checks between its steps."""
    received: list[int] = []

    def record(number: int, frame: FrameType | None) -> None:
        received.append(number)

    previous = {number: signal.signal(number, record) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
