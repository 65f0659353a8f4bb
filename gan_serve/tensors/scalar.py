"""A number."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gan_serve.array_values import is_list, plain
from gan_serve.errors import UsageError, short_repr
from gan_serve.tensors.base import Pattern, Written
from gan_serve.tensors.controls import Slider

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Scalar(Written):
    """One number that users may set: a control such as the truncation, or a code sampled from (seed, index)."""

    kind: Literal["scalar"] = "scalar"
    low: float
    high: float
    default: float | tuple[float, float]  # a number, or the range to sample from

    def __post_init__(self) -> None:
        super().__post_init__()
        first, last = self._drawn_from
        if not self.low <= first <= last <= self.high:
            raise ValueError(f"default {self.default} of {self.name} is outside {self.low}..{self.high}")

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def middle(self) -> float:
        """The middle of the range."""
        return (self.low + self.high) / 2

    @property
    def extremes(self) -> list[Pattern]:
        return [(self.low,), (self.middle,), (self.high,)]

    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        return stream.uniform(self.low, self.high, count)

    @property
    def hint(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    @property
    def default_hint(self) -> str:
        if isinstance(self.default, tuple):
            return f"drawn from {self.default[0]:g} to {self.default[1]:g}"
        return f"{self.default:g}"

    @property
    def example(self) -> str:
        return f"{self.low:g},{self.high:g}"

    @property
    def content(self) -> str:
        return f"{self.hint}; default: {self.default_hint}"

    @property
    def schema(self) -> dict[str, Any]:
        default = {} if self.is_drawn else {"default": self.default}
        return {"type": "number", "minimum": self.low, "maximum": self.high, **default}

    @property
    def control(self) -> Slider:
        first, last = self._drawn_from
        return Slider(self.low, self.high, (first + last) / 2, self.is_drawn)

    @property
    def fixed(self) -> float | None:
        return None if isinstance(self.default, tuple) else self.default

    def draw(self, stream: "RandomState") -> float:
        return stream.uniform(*self._drawn_from)

    @property
    def _drawn_from(self) -> tuple[float, float]:
        return self.default if isinstance(self.default, tuple) else (self.default, self.default)

    def encode(self, value: Any) -> Any:
        return value

    def text_of(self, value: Any) -> str:
        return str(int(value)) if float(value).is_integer() else repr(float(value))

    def caption_of(self, value: Any) -> str:
        return f"{value:.2g}"

    def stops(self, count: int) -> list[float]:
        step = (self.high - self.low) / (count - 1)
        return [round(self.low + step * stop, 6) for stop in range(count)]

    def parse(self, value: object) -> list[float]:
        """Return the numbers of a number, a list, or text such as `"-1,0,1"`.

        Raises:
            UsageError: A value is not a number, or out of range.
        """
        value = plain(value)
        if isinstance(value, str):
            return [self._checked(part) for part in value.split(",")]
        if is_list(value):
            return [number for item in value for number in self.parse(item)]
        return [self._checked(value)]

    def _checked(self, value: object) -> float:
        try:
            number = float("nan" if isinstance(value, bool) else value)  # type: ignore[arg-type]  # raises below
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        if not self.low <= number <= self.high:  # NaN fails here too
            raise UsageError(f"{self.name} {short_repr(value)} is not {self.hint}")
        return number
