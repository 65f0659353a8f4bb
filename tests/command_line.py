"""The outcome of a command line."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Outcome:
    code: int
    out: str
    error: str


Run = Callable[..., Outcome]
