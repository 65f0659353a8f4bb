"""Outputs that are numbers."""

from dataclasses import dataclass
from typing import Literal

from gan_serve.tensors.base import Tensor, check_classes


@dataclass(frozen=True, kw_only=True)
class ScoreOutput(Tensor):
    """A number that a model assigns to its input, such as realness."""

    kind: Literal["score"] = "score"
    low: float
    high: float

    @property
    def shape(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class Probabilities(Tensor):
    """A probability for each class."""

    kind: Literal["probabilities"] = "probabilities"
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_classes(self.name, self.classes)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.classes),)
