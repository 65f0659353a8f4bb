"""What every kind of tensor has."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """The base of every kind: a name, and one sentence for users."""

    dtype: ClassVar[Literal["float32", "int64"]] = "float32"

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is not a tensor name; use lower-case letters, digits and _")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one item, without the batch axis; -1 is a variable length."""
        raise NotImplementedError


def check_classes(name: str, classes: tuple[str, ...]) -> None:
    """Reject fewer than two classes.

    Raises:
        ValueError: There is only one, or none.
    """
    if len(classes) < 2:
        raise ValueError(f"{name} has fewer than two classes")
