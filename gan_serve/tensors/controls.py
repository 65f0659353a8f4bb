"""The controls of the demo that kinds choose from. A kind that reuses one needs no code in the demo."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Menu:
    """One of a few values."""

    options: tuple[tuple[str, int | str], ...]  # the texts and the values
    default: int | str | None = None  # None: drawn at random unless the user chooses one


@dataclass(frozen=True)
class Slider:
    """A number in a range."""

    low: float
    high: float
    start: float  # the position at first
    is_drawn: bool  # whether the value is drawn at random unless the user sets it


@dataclass(frozen=True)
class TextBox:
    """A text."""

    placeholder: str  # what an empty box shows


Control = Menu | Slider | TextBox
