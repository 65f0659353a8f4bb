"""A kind of input that gan-serve does not have: the test puts this file into a copy of `gan_serve/tensors/`."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gan_serve.array_values import is_list, plain
from gan_serve.errors import UsageError, short_repr
from gan_serve.tensors.base import Pattern, Written
from gan_serve.tensors.controls import TextBox

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Angle(Written):
    """A direction in whole degrees, written `90deg`, drawn at random by default. The network gets radians."""

    low: ClassVar[float] = 0.0
    high: ClassVar[float] = math.tau

    kind: Literal["angle"] = "angle"

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def hint(self) -> str:
        return "an angle from 0deg to 359deg"

    @property
    def example(self) -> str:
        return "0deg,90deg"

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,3}deg$"}

    @property
    def control(self) -> TextBox:
        return TextBox(placeholder=self.example)

    @property
    def extremes(self) -> list[Pattern]:
        return [(self.low,), (self.high,)]

    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        return stream.uniform(self.low, self.high, count)

    def draw(self, stream: "RandomState") -> str:
        return f"{stream.randint(360)}deg"

    def encode(self, value: Any) -> float:
        return math.radians(int(value.removesuffix("deg")))

    def parse(self, value: object) -> list[str]:
        value = plain(value)
        if is_list(value):
            return [angle for item in value for angle in self.parse(item)]
        return [self._checked(part.strip()) for part in str(value).split(",")]

    def _checked(self, text: str) -> str:
        if not re.fullmatch("[0-9]{1,3}deg", text) or int(text.removesuffix("deg")) >= 360:
            raise UsageError(f"{self.name} {short_repr(text)} is not {self.hint}")
        return text
