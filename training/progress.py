"""Show the progress of long activities: bars in a terminal; in a log, a line after ten seconds and then each minute."""

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


class Activity:
    """One long activity and its progress."""

    def __init__(self, title: str, total: int | None, unit: str, done: int) -> None:
        self.title, self.total, self.unit = title, total, unit
        self.done, self.first = done, done  # a resumed training does not start at 0
        self.facts = ""
        self.started = time.monotonic()
        self._speed = ""

    def update(self, done: int, *, speed: str = "", facts: str = "", total: int | None = None) -> None:
        """Set how much is done, the speed in words, such as `9 images/s`, and facts that may be cut off."""
        self.facts, self._speed = facts, speed
        if total and self.total is None:  # only now is the starting point known
            self.total, self.first, self.started = total, done, time.monotonic()
        self.done = done

    @property
    def state(self) -> str:
        """The amount done, the speed and the time left, or the time so far."""
        seconds = time.monotonic() - self.started
        if self.total is None:
            return f"{_time(seconds)} so far"
        parts = [f"{self.unit} {self.done:,} of {self.total:,}".lstrip()]
        if self.done > self.first:
            each = seconds / (self.done - self.first)
            left = each * (self.total - self.done)
            parts += [self._speed or _pace(each), f"{_time(left)} left" if left else f"in {_time(seconds)}"]
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.title}: {self.state}" + (f", {self.facts}" if self.facts else "")


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _pace(each: float) -> str:
    return f"{1 / each:,.0f} a second" if 0 < each < 1 else f"{each:,.0f} seconds each"


class Display:
    """All activities of this process; of several processes, only the first one shows any."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._activities: dict[Activity, TaskID | None] = {}
        self._bars: Progress | None = None
        self._closed = threading.Event()

    @contextmanager
    def working(self, title: str, total: int | None = None, *, unit: str = "", done: int = 0) -> Iterator[Activity]:
        """Show an activity as long as the context is open; nested ones are shown side by side."""
        activity = self.begin(title, total, unit=unit, done=done)
        try:
            yield activity
        finally:
            self.end(activity)

    def begin(self, title: str, total: int | None = None, *, unit: str = "", done: int = 0) -> Activity:
        """Show an activity until its `end`."""
        if not self._activities:
            self._open()
        activity = Activity(title, total, unit, done)
        self._activities[activity] = self._bars.add_task("", activity=activity) if self._bars else None
        return activity

    def end(self, activity: Activity) -> None:
        """Remove an activity."""
        bar = self._activities.pop(activity)
        if self._bars and bar is not None:
            self._bars.remove_task(bar)
        if not self._activities:
            self._close()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        if distributed.rank() == 0:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a warning."""
        self.say(f"warning: {message}")

    def _open(self) -> None:
        if distributed.rank() != 0:
            return
        if self.console.is_terminal:
            self._bars = _bars(self.console)
            self._bars.start()
            return
        self._closed = threading.Event()
        threading.Thread(target=self._log, args=(self._closed,), daemon=True).start()

    def _close(self) -> None:
        self._closed.set()
        if self._bars:
            self._bars.stop()
        self._bars = None

    def _log(self, closed: threading.Event) -> None:
        seconds = FIRST_SECONDS
        while not closed.wait(seconds):
            seconds = SECONDS
            self.say("; ".join(map(str, tuple(self._activities))))


class _Attribute(ProgressColumn):
    """The present value of one attribute of an activity."""

    def __init__(self, attribute: str, column: Column) -> None:
        super().__init__(column)
        self._attribute = attribute

    def render(self, task: Task) -> Text:
        return Text(str(getattr(task.fields["activity"], self._attribute)))


class _Bar(BarColumn):
    def render(self, task: Task) -> ProgressBar:
        activity: Activity = task.fields["activity"]
        task.total, task.completed = activity.total, activity.done
        return super().render(task)


def _bars(console: Console) -> Progress:
    """Return bars; the facts get the width that is left."""
    return Progress(
        _Attribute("title", Column(no_wrap=True)),
        _Bar(BAR_WIDTH),
        _Attribute("state", Column(no_wrap=True)),
        _Attribute("facts", Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        console=console,
        expand=True,
        transient=True,
    )


SHARED = Display()
working, say, warn = SHARED.working, SHARED.say, SHARED.warn


def track(items: Iterable[Item], title: str, total: int, *, unit: str = "") -> Iterator[Item]:
    """Yield the items and show how many are done."""
    with working(title, total, unit=unit) as activity:
        for number, item in enumerate(items, 1):
            yield item
            activity.update(number)
