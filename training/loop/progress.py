"""How far long work has come: bars in a terminal; in a log one line after some seconds, then one a minute."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from training import distributed

FIRST_SECONDS, SECONDS = 10.0, 60.0  # until the first line of a log, and between two
BAR_WIDTH = 12

Item = TypeVar("Item")


class Work:
    """One piece of work, and how far it has come."""

    def __init__(self, what: str, total: int | None, unit: str, done: int) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done, self.first = done, done  # a training that goes on does not begin at 0
        self.facts = ""
        self.began = time.monotonic()
        self._speed = ""

    def update(self, done: int, *, speed: str = "", facts: str = "", total: int | None = None) -> None:
        """So much is done; `speed` in words of its own, such as images a second, and `facts` that may be cut off."""
        self.facts, self._speed = facts, speed
        if total and self.total is None:  # only now is it known how far the work had come when it began
            self.total, self.first, self.began = total, done, time.monotonic()
        self.done = done

    @property
    def state(self) -> str:
        """What is done, how fast, and what time is left, or for how long the work has gone on."""
        seconds = time.monotonic() - self.began
        if self.total is None:
            return f"{_time(seconds)} so far"
        parts = [f"{self.unit} {self.done:,} of {self.total:,}".lstrip()]
        if self.done > self.first:
            each = seconds / (self.done - self.first)
            left = each * (self.total - self.done)
            parts += [self._speed or _told(each), f"{_time(left)} left" if left else f"in {_time(seconds)}"]
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.what}: {self.state}" + (f", {self.facts}" if self.facts else "")


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _told(each: float) -> str:
    return f"{1 / each:,.0f} a second" if 0 < each < 1 else f"{each:,.0f} seconds each"


class Display:
    """All work that goes on in this process; only the first process of several shows any."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._works: dict[Work, TaskID | None] = {}
        self._bars: Progress | None = None
        self._over = threading.Event()

    @contextmanager
    def working(self, what: str, total: int | None = None, *, unit: str = "", done: int = 0) -> Iterator[Work]:
        """Show work as long as the context is open; what is within other work is shown beside it."""
        work = self.begin(what, total, unit=unit, done=done)
        try:
            yield work
        finally:
            self.end(work)

    def begin(self, what: str, total: int | None = None, *, unit: str = "", done: int = 0) -> Work:
        """Show work until its `end`."""
        if not self._works:
            self._open()
        work = Work(what, total, unit, done)
        self._works[work] = self._bars.add_task("", work=work) if self._bars else None
        return work

    def end(self, work: Work) -> None:
        """Show it no longer."""
        bar = self._works.pop(work)
        if self._bars and bar is not None:
            self._bars.remove_task(bar)
        if not self._works:
            self._close()

    def say(self, line: str) -> None:
        """Write a line, above the bars."""
        if distributed.rank() == 0:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Say at once what is wrong."""
        self.say(f"warning: {message}")

    def _open(self) -> None:
        if distributed.rank() != 0:
            return
        if self.console.is_terminal:
            self._bars = _bars(self.console)
            self._bars.start()
            return
        self._over = threading.Event()
        threading.Thread(target=self._tell, args=(self._over,), daemon=True).start()

    def _close(self) -> None:
        self._over.set()
        if self._bars:
            self._bars.stop()
        self._bars = None

    def _tell(self, over: threading.Event) -> None:
        seconds = FIRST_SECONDS
        while not over.wait(seconds):
            seconds = SECONDS
            self.say("; ".join(map(str, tuple(self._works))))


class _Told(ProgressColumn):
    """One attribute of a work, as it is when the bars are drawn."""

    def __init__(self, attribute: str, column: Column) -> None:
        super().__init__(column)
        self._attribute = attribute

    def render(self, task: Task) -> Text:
        return Text(str(getattr(task.fields["work"], self._attribute)))


class _Bar(BarColumn):
    def render(self, task: Task) -> ProgressBar:
        work: Work = task.fields["work"]
        task.total, task.completed = work.total, work.done
        return super().render(task)


def _bars(console: Console) -> Progress:
    """The facts have the width that the rest leaves."""
    return Progress(
        _Told("what", Column(no_wrap=True)),
        _Bar(BAR_WIDTH),
        _Told("state", Column(no_wrap=True)),
        _Told("facts", Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        console=console,
        expand=True,
        transient=True,
    )


SHARED = Display()
working, say, warn = SHARED.working, SHARED.say, SHARED.warn


def track(items: Iterable[Item], what: str, total: int, *, unit: str = "") -> Iterator[Item]:
    """The items, while it is shown how many have been worked on."""
    with working(what, total, unit=unit) as work:
        for number, item in enumerate(items, 1):
            yield item
            work.update(number)
