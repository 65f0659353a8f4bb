"""Outputs that are numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gan_serve.tensors.base import check_classes
from gan_serve.tensors.outputs import Bar, Numbers, Numeric, rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ScoreOutput(Numeric):
    """A number that a model assigns to its input, such as realness."""

    kind: Literal["score"] = "score"
    low: float
    high: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise ValueError(f"{self.name} has the range {self.low}..{self.high}")

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def makes(self) -> str:
        return f"score from {self.low:g} to {self.high:g}"

    @property
    def content(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def plain(self, row: "NDArray[Any]") -> dict[str, Any]:
        """Return the score."""
        return {self.name: rounded(row)}

    def summary(self, numbers: Numbers) -> str:
        """Return the name and the score."""
        return f"{self.name} {numbers[self.name]:.4g}"

    def bars(self, numbers: Numbers) -> list[Bar]:
        """Return one bar."""
        value = numbers[self.name]
        return [Bar(self.name, self.description, value, self.low, self.high, f"{value:.4g}")]


@dataclass(frozen=True, kw_only=True)
class Probabilities(Numeric):
    """A probability for each class."""

    kind: Literal["probabilities"] = "probabilities"
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_classes(self.name, self.classes)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.classes),)

    @property
    def makes(self) -> str:
        return f"probabilities of {len(self.classes)} classes"

    @property
    def content(self) -> str:
        return f"a probability for each of {', '.join(self.classes)}"

    def plain(self, row: "NDArray[Any]") -> dict[str, Any]:
        """Return the probabilities by class, and the most probable class as `<name>_top`."""
        shares = dict(zip(self.classes, map(rounded, row), strict=True))
        return {self.name: shares, f"{self.name}_top": self.classes[int(row.argmax())]}

    def summary(self, numbers: Numbers) -> str:
        """Return the name, the most probable class, and its probability."""
        top = numbers[f"{self.name}_top"]
        return f"{self.name} {top} ({numbers[self.name][top]:.1%})"

    def bars(self, numbers: Numbers) -> list[Bar]:
        """Return a bar for each class, the most probable first."""
        ranking = sorted(numbers[self.name].items(), key=lambda pair: -pair[1])
        return [Bar(name, "", share, 0, 1, f"{share:.1%}") for name, share in ranking]
