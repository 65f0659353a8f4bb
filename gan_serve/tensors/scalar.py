"""A number."""

from dataclasses import dataclass
from typing import Literal

from gan_serve.array_values import is_list, plain
from gan_serve.errors import UsageError, short_repr
from gan_serve.tensors.base import Tensor


@dataclass(frozen=True, kw_only=True)
class Scalar(Tensor):
    """One number that users may set: a control such as the truncation, or a code sampled from (seed, index)."""

    kind: Literal["scalar"] = "scalar"
    low: float
    high: float
    default: float | tuple[float, float]  # a number, or the range to sample from

    def __post_init__(self) -> None:
        super().__post_init__()
        first, last = self.default if isinstance(self.default, tuple) else (self.default, self.default)
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
    def hint(self) -> str:
        """A short description of the values that users may write."""
        return f"a number from {self.low:g} to {self.high:g}"

    @property
    def default_hint(self) -> str:
        """A short description of the default."""
        if isinstance(self.default, tuple):
            return f"drawn from {self.default[0]:g} to {self.default[1]:g}"
        return f"{self.default:g}"

    @property
    def example(self) -> str:
        """An example of a value."""
        return f"{self.low:g},{self.high:g}"

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
