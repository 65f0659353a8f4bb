"""Noise."""

from dataclasses import dataclass
from typing import Literal

from gan_serve.tensors.base import Tensor

FAR = 8.0  # standard deviations; one in 10^15 normal numbers lies farther out


@dataclass(frozen=True, kw_only=True)
class Latent(Tensor):
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
