"""A class out of several."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gan_serve.array_values import is_list, plain
from gan_serve.class_names import class_numbers, number_in
from gan_serve.errors import UsageError, short_repr
from gan_serve.seeds import as_integer
from gan_serve.tensors.base import Pattern, Plain, Written, check_classes
from gan_serve.tensors.controls import Menu

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Label(Written):
    """One class out of several, sampled from (seed, index) by default."""

    dtype: ClassVar[Literal["float32", "int64"]] = "int64"
    combined: ClassVar[bool] = False  # it has too many extremes: all of its classes

    kind: Literal["label"] = "label"
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_classes(self.name, self.classes)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def values(self) -> tuple[int, ...]:
        """The integer of each class: its name if all names are numbers, otherwise its position from 0."""
        return class_numbers(self.classes) or tuple(range(len(self.classes)))

    @property
    def low(self) -> int:
        """The position of the first class."""
        return 0

    @property
    def high(self) -> int:
        """The position of the last class."""
        return len(self.classes) - 1

    @property
    def extremes(self) -> list[Pattern]:
        return [(place,) for place in range(len(self.classes))]

    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        return stream.randint(len(self.classes), size=count)

    def draw(self, stream: "RandomState") -> int:
        return self.values[int(stream.randint(len(self.classes)))]

    def encode(self, value: Any) -> int:
        """Return the position of a class in `classes`, which is the network's input."""
        return self.values.index(value)

    def text_of(self, value: Any) -> str:
        """Return the name of a class."""
        return self.classes[self.encode(value)]

    def list_of(self, values: Sequence[Plain]) -> str:
        return ",".join(map(str, values))  # numbers, since names may contain commas

    def stops(self, count: int) -> tuple[int, ...]:
        return self.values

    @property
    def control(self) -> Menu:
        return Menu(tuple(zip(self.classes, self.values, strict=True)))

    @property
    def schema(self) -> dict[str, Any]:
        number = {"type": "integer", "enum": list(self.values)}
        return {"anyOf": [{"type": "string", "enum": list(self.classes)}, number]}

    @property
    def request_example(self) -> str:
        return self.classes[0]

    @property
    def hint(self) -> str:
        if class_numbers(self.classes) is None:
            return f"{self.example} or a class name: {', '.join(self.classes)}"
        first, last = self.values[0], self.values[-1]
        is_range = first >= 0 and self.values == tuple(range(first, last + 1))
        return f"{self.classes[0]}-{self.classes[-1]}" if is_range else ", ".join(self.classes)

    @property
    def example(self) -> str:
        return f"{min(self.values)}-{max(self.values)}"

    def parse(self, value: object) -> list[int]:
        """Return the classes, as integers, of an integer, a name, a list or a range: `3`, `"three"`, `"0,2,5-7"`.

        If all classes are named by numbers, an integer is the class of that name; otherwise a position from 0.

        Raises:
            UsageError: The class does not exist.
        """
        value = plain(value)
        if isinstance(value, str):
            return self._parse_text(value)
        if is_list(value):
            return [number for item in value for number in self.parse(item)]
        return [self._checked(as_integer(value), value)]

    def _parse_text(self, text: str) -> list[int]:
        # Try the whole text first: class names may contain commas and hyphens (T-shirt/top).
        if (named := self._named(text)) is not None:
            return [named]
        return [number for part in text.split(",") for number in self._parse_part(part.strip())]

    def _parse_part(self, part: str) -> list[int]:
        if (named := self._named(part)) is not None:
            return [named]
        if match := re.fullmatch(r"(-?\d+)\s*-\s*(-?\d+)", part):
            first, last = (self._checked(number_in(end), end) for end in match.groups())
            between = sorted(value for value in self.values if min(first, last) <= value <= max(first, last))
            return between if first <= last else between[::-1]
        return [self._checked(number_in(part), part)]

    def _named(self, text: str) -> int | None:
        """Return the class of this name, or else one whose name differs only in case."""
        folded = [name.casefold() for name in self.classes]
        for names, name in ((self.classes, text), (folded, text.casefold())):
            if name in names:
                return self.values[names.index(name)]
        return None

    def _checked(self, number: int | None, value: object) -> int:
        if number not in self.values:
            raise UsageError(f"{self.name} {short_repr(value)} does not exist; use {self.hint}")
        return number
