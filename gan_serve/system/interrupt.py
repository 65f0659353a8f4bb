"""Signals that ask a process to end: it leaves at once, or long work stops between two steps, never inside one.

The programs import this first, so that Ctrl-C ends their other imports in one line, too; it imports next to nothing.
"""

from __future__ import annotations

# What the module `signal` is made of, without the enumerations that take a while to import.
import _signal as signal  # type: ignore[import-not-found]
import contextlib
import os
from collections.abc import Iterator

TYPE_CHECKING = False  # that of `typing`, which takes a while to import
if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

_WORDS = {signal.SIGINT: b"interrupted\n", signal.SIGTERM: b"terminated\n"}
_SHOW_CURSOR = b"\n\x1b[?25h"  # a progress bar hides it
_unfinished: set[Path] = set()


def leave_at_signals() -> None:
    """From now on SIGINT and SIGTERM end this process with one line, and nothing stays behind half made.

    They raise no exception, which would arrive in the middle of an import, or where a library takes it for something
    else. A signal that is ignored, as in a shell's background work, stays ignored.
    """
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) == usual:
            signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    for path in tuple(_unfinished):
        _remove(path)
    with contextlib.suppress(OSError):  # stderr may be closed
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + _WORDS[number])
    os._exit(128 + number)


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Within it a file or a folder comes into being that must not stay behind unless it is finished."""
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
    """The numbers of the SIGINT and SIGTERM that have arrived; the work within looks at the list between its steps."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
