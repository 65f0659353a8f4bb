"""What every kind of tensor has, and what an input has besides."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gan_serve.tensors.controls import Control

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import NDArray

Plain = int | float | str  # the value of an input that is no image, as requests and generated files hold it
Pattern = tuple[float, ...]  # numbers that are repeated to fill an array


@dataclass(frozen=True, kw_only=True)
class Tensor(ABC):
    """The base of every kind: a name, and one sentence for users."""

    dtype: ClassVar[Literal["float32", "int64"]] = "float32"

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is not a tensor name; use lower-case letters, digits and _")

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one item, without the batch axis; -1 is a variable length."""

    def shape_at(self, height: int, width: int) -> tuple[int, ...]:
        """Return the shape of one item for an image of this height and width."""
        return self.shape


@dataclass(frozen=True, kw_only=True)
class Input(Tensor):
    """The base of every kind of input. Each also has `low` and `high`, the range of the numbers in its array."""

    combined: ClassVar[bool] = True  # whether tests combine its extremes with those of all other kinds

    @property
    @abstractmethod
    def is_drawn(self) -> bool:
        """Whether it comes from the seed where the user gives nothing."""

    @property
    @abstractmethod
    def takes(self) -> str:
        """What it takes and its default, for `gan-serve info`."""

    @property
    @abstractmethod
    def content(self) -> str:
        """What it holds, for the model card."""

    @property
    @abstractmethod
    def extremes(self) -> Sequence[Pattern]:
        """The arrays at which a network is most likely to fail."""

    @abstractmethod
    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        """Return `count` random arrays (count, *shape) like those of requests, at this size of images."""


@dataclass(frozen=True, kw_only=True)
class Choice(Input):
    """The base of every kind that users set: everything but noise."""

    metavar: ClassVar[str] = "VALUE"  # of its option on the command line
    repeats: ClassVar[bool] = False  # whether users repeat the option for several values, or write a list
    several: ClassVar[str] = "a list makes one row per value"

    @property
    @abstractmethod
    def is_required(self) -> bool:
        """Whether users must give it."""

    @property
    @abstractmethod
    def hint(self) -> str:
        """A short description of the values that users may write."""

    @property
    @abstractmethod
    def default_hint(self) -> str:
        """A short description of the default."""

    @property
    @abstractmethod
    def example(self) -> str:
        """An example of what users may write on a command line."""

    @property
    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of one value."""

    @abstractmethod
    def text_of(self, value: Any) -> str:
        """Return a value as text that is read as the same value."""

    @property
    def takes(self) -> str:
        return f"{self.hint} (default: {self.default_hint})"

    @property
    def content(self) -> str:
        return self.hint

    def list_of(self, values: Sequence[Any]) -> str:
        """Return several values as one text."""
        return ",".join(map(self.text_of, values))


@dataclass(frozen=True, kw_only=True)
class Written(Choice):
    """The base of every kind whose values are numbers or text: all but noise and images."""

    @property
    def fixed(self) -> Plain | None:
        """The value where the user gives none; None if it is then drawn from the seed."""
        return None

    @property
    def default_hint(self) -> str:
        return "drawn at random" if self.fixed is None else self.text_of(self.fixed)

    @property
    @abstractmethod
    def control(self) -> Control:
        """The control of the demo."""

    @abstractmethod
    def parse(self, value: object) -> Sequence[Plain]:
        """Return the values in a user's value, which may be a list.

        Raises:
            UsageError: One of them is invalid.
        """

    @abstractmethod
    def draw(self, stream: "RandomState") -> Plain:
        """Return a value from a random stream."""

    @abstractmethod
    def encode(self, value: Any) -> Any:
        """Return the numbers of one value, in the tensor's shape."""

    @property
    def is_drawn(self) -> bool:
        return self.fixed is None

    @property
    def is_required(self) -> bool:
        return False

    @property
    def request_example(self) -> Plain | None:
        """The value in the example of an HTTP request; None leaves it out."""
        return None

    def text_of(self, value: Any) -> str:
        return str(value)

    def caption_of(self, value: Any) -> str:
        """Return a value as a short text below an image."""
        return self.text_of(value)

    def stops(self, count: int) -> Sequence[Plain]:
        """Return the values to show when a user varies this input, about `count`; none if it cannot be varied."""
        return ()


def check_classes(name: str, classes: tuple[str, ...]) -> None:
    """Reject fewer than two classes.

    Raises:
        ValueError: There is only one, or none.
    """
    if len(classes) < 2:
        raise ValueError(f"{name} has fewer than two classes")
