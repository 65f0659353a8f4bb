"""Progress of long activities: lines in a log, bars in a terminal."""

import io
import re
import threading

import pytest
from rich.console import Console

from training import progress


class Log(io.StringIO):
    """A log that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = threading.Semaphore(0)

    def write(self, text: str) -> int:
        written = super().write(text)
        for _ in range(text.count("\n")):
            self.lines.release()
        return written


def test_a_log_gets_a_line_early_and_then_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(progress, "SECONDS", 0.02)
    log = Log()
    display = progress.Display(Console(file=log, width=40))
    with display.working("publishing gan"), display.working("learning curve", 16) as curve:
        curve.update(4)
        for _ in range(3):
            assert log.lines.acquire(timeout=30)
    first, second, *_ = log.getvalue().splitlines()
    shape = r"publishing gan: 0:00:\d\d so far; learning curve: 4 of 16, [\d,]+ a second, 0:00:\d\d left"
    assert re.fullmatch(shape, first), first
    assert re.fullmatch(shape, second), second


def test_a_short_activity_logs_nothing() -> None:
    log = io.StringIO()
    with progress.Display(Console(file=log)).working("loading mnist"):
        pass
    assert log.getvalue() == ""


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_terminal_shows_step_speed_and_time_left_and_cuts_the_losses(width: int) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=width, force_terminal=True, color_system=None)
    losses = "discriminator/adversarial 0.23 discriminator/mismatch 0.19 generator/adversarial 3.02 " * 3
    display = progress.Display(console)
    with display.working("training", 20_000, unit="step") as activity:
        activity.update(1_200, speed="1,234 images/s", facts=losses)
        display._bars.refresh()  # as happens ten times a second
    drawn = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", screen.getvalue())
    last = [line for line in re.split(r"[\r\n]+", drawn) if "1,200" in line][-1]
    assert re.search(r"step 1,200 of 20,000, 1,234 images/s, \d:\d\d:\d\d left", last), last
    assert len(last.rstrip()) <= width


def test_a_resumed_activity_measures_its_speed_from_where_it_started() -> None:
    activity = progress.Activity("training", 2_000, "step", 1_000)
    assert activity.state == "step 1,000 of 2,000"
    activity.started -= 10
    activity.update(1_100)
    assert activity.state == "step 1,100 of 2,000, 10 a second, 0:01:30 left"
    activity.update(2_000)
    assert activity.state == "step 2,000 of 2,000, 100 a second, in 0:00:10"


def test_items_are_passed_on_unchanged() -> None:
    assert list(progress.track(iter("abc"), "letters", 3)) == ["a", "b", "c"]
