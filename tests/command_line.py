"""What a command line does, seen from outside."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Outcome:
    code: int
    out: str
    error: str


Run = Callable[..., Outcome]
