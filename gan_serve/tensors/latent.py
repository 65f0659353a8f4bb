"""Noise."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gan_serve.tensors.base import Input, Pattern

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import NDArray

FAR = 8.0  # standard deviations; one in 10^15 normal numbers lies farther out


@dataclass(frozen=True, kw_only=True)
class Latent(Input):
    """Noise sampled from (seed, index): a vector of independent numbers."""

    kind: Literal["latent"] = "latent"
    size: int
    distribution: Literal["normal", "uniform"] = "normal"  # N(0, 1), or U(-1, 1)
    selected_by: str | None = None  # a scalar, such as a crossover, whose default may switch this latent off

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < 1:
            raise ValueError(f"{self.name} has the size {self.size}")

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.size,)

    @property
    def low(self) -> float:
        """The lowest number that a model must accept."""
        return -self.high

    @property
    def high(self) -> float:
        """The highest number that a model must accept."""
        return 1.0 if self.distribution == "uniform" else FAR

    @property
    def is_drawn(self) -> bool:
        return True

    @property
    def takes(self) -> str:
        return f"{self.size} {self.distribution} random numbers, from the seed"

    @property
    def content(self) -> str:
        return f"{self.size} {self.distribution} numbers"

    @property
    def extremes(self) -> list[Pattern]:
        return [(0,), (self.high,), (self.low,), (self.low, self.high)]

    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        return self._noise(stream, count, self.size)

    def draw(self, stream: "RandomState") -> "NDArray[Any]":
        """Return the noise of one image from its random stream."""
        return self._noise(stream, self.size)

    def _noise(self, stream: "RandomState", *shape: int) -> "NDArray[Any]":
        return stream.standard_normal(shape) if self.distribution == "normal" else stream.uniform(-1, 1, shape)
