"""The progress of a large job, on stderr."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_DELAY = 1.0  # seconds before the bar appears


class Progress:
    """Counts images, and shows a progress bar in a terminal if the job takes long."""

    def __init__(self, total: int, seed: int | None) -> None:
        self.total = total
        self.seed = seed
        self.done = 0
        self._began = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def start(self, done: int) -> None:
        """Start with the number of images that already exist."""
        self.done = done
        if self.seed is not None:
            typer.echo(f"seed {self.seed}", err=True)
        if done:
            state = "nothing to do" if done == self.total else "continuing"
            typer.echo(f"{state}: {done:,} of {self.total:,} done", err=True)

    def advance(self, images: int, lines: Sequence[str] = ()) -> None:
        """Count more finished images, and print lines about them."""
        for line in lines:
            if self._bar:  # prints them above itself
                self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                typer.echo(line, err=True)
        self.done += images
        self._show(self.done)

    def within(self, done: int, tiles: int) -> None:
        """Report the finished tiles of the next image."""
        self._show(self.done + done / tiles)

    def _show(self, done: float) -> None:
        if self._bar is None and sys.stderr.isatty() and time.monotonic() - self._began > _DELAY:
            self._bar = _open_bar(self.total)
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done)


def _open_bar(total: int) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    bar.add_task("images", total=total)
    bar.start()
    return bar
