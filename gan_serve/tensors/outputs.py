"""What kinds of output have: drawn ones become images, numeric ones become plain numbers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from gan_serve.tensors.base import Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Output(Tensor, ABC):
    """The base of every kind of output. Its medium, a module of gan_serve.media, has the formats of its files."""

    medium: ClassVar[str]

    @property
    @abstractmethod
    def makes(self) -> str:
        """A short description for lists of models."""

    @property
    @abstractmethod
    def content(self) -> str:
        """A short description for tables in which the kind has a column of its own."""


@dataclass(frozen=True, kw_only=True)
class Drawn(Output):
    """The base of outputs that have an image, whatever else they are."""

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the image; -1 is a variable length."""

    @abstractmethod
    def to_pixels(self, array: "NDArray[Any]") -> "NDArray[np.uint8]":
        """Draw arrays (N, *shape) as images (N, height, width, channels) in 0..255."""


class Bar(NamedTuple):
    """A number within its range, as a bar shows it."""

    name: str
    about: str
    value: float
    low: float
    high: float
    text: str


Numbers = Mapping[str, Any]  # plain values by name


@dataclass(frozen=True, kw_only=True)
class Numeric(Output):
    """The base of outputs that are numbers."""

    medium: ClassVar[str] = "numbers"

    @abstractmethod
    def plain(self, row: "NDArray[Any]") -> dict[str, Any]:
        """Return one row of the array as plain Python values by name, as JSON holds them."""

    @abstractmethod
    def summary(self, numbers: Numbers) -> str:
        """Return what `plain` returned as a few words."""

    @abstractmethod
    def bars(self, numbers: Numbers) -> list[Bar]:
        """Return what `plain` returned as bars."""


def rounded(number: Any) -> float:
    """Return a number with six digits after the decimal point, about those that float32 has."""
    return round(float(number), 6)
