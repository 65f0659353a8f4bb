"""Kinds of tensor: the meaning of a model's inputs and outputs.

Serving knows these kinds and nothing else about a model. A kind defines how people write its values (`parse`), and
the array that they become (`dtype`, and `shape` without the batch axis). This module does not import numpy.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from gan_serve.array_values import is_list, plain
from gan_serve.class_names import class_numbers, number_in
from gan_serve.errors import UsageError, short_repr
from gan_serve.seeds import as_integer

FAR = 8.0  # standard deviations; one in 10^15 normal numbers lies farther out


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """The base of every kind: a name, and one sentence for users."""

    dtype: ClassVar[Literal["float32", "int64"]] = "float32"

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is not a tensor name; use lower-case letters, digits and _")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one item, without the batch axis; -1 is a variable length."""
        raise NotImplementedError


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


@dataclass(frozen=True, kw_only=True)
class Label(Tensor):
    """One class out of several, sampled from (seed, index) by default."""

    dtype: ClassVar[Literal["float32", "int64"]] = "int64"

    kind: Literal["label"] = "label"
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_classes(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def values(self) -> tuple[int, ...]:
        """The integer of each class: its name if all names are numbers, otherwise its position from 0."""
        return class_numbers(self.classes) or tuple(range(len(self.classes)))

    def place(self, value: int) -> int:
        """Return the position of a class in `classes`, which is the network's input."""
        return self.values.index(value)

    def name_of(self, value: int) -> str:
        """Return the name of a class."""
        return self.classes[self.place(value)]

    @property
    def hint(self) -> str:
        """A short description of the values that users may write."""
        if class_numbers(self.classes) is None:
            return f"{self.example} or a class name: {', '.join(self.classes)}"
        first, last = self.values[0], self.values[-1]
        is_range = first >= 0 and self.values == tuple(range(first, last + 1))
        return f"{self.classes[0]}-{self.classes[-1]}" if is_range else ", ".join(self.classes)

    @property
    def default_hint(self) -> str:
        """A short description of the default."""
        return "drawn at random"

    @property
    def example(self) -> str:
        """An example of a value."""
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


@dataclass(frozen=True, kw_only=True)
class Raster(Tensor):
    """The base of images and masks: a size in pixels, or None for both sides if any size is allowed."""

    height: int | None
    width: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        sides = self.height, self.width
        if sides != (None, None) and not all(side is not None and side >= 1 for side in sides):
            raise ValueError(f"{self.name} has the size {self.width}x{self.height}")

    @property
    def any_size(self) -> bool:
        """Whether the tensor has the size of the user's image."""
        return self.height is None

    def shape_at(self, height: int, width: int) -> tuple[int, ...]:
        """Return the shape of one item for an image of this height and width."""
        return (self.shape[0], height, width) if self.any_size else self.shape

    @property
    def about(self) -> str:
        """A short description."""
        raise NotImplementedError

    @property
    def hint(self) -> str:
        """A short description of the values that users may write on a command line."""
        return self.about

    @property
    def default_hint(self) -> str:
        """A short description of the default."""
        return "none; it must be given"

    @property
    def example(self) -> str:
        """An example of a value."""
        return f"{self.name}.png"


@dataclass(frozen=True, kw_only=True)
class Image(Raster):
    """An image, channels first, with values from `low` (black) to `high` (white).

    An input of a fixed size accepts any image: `fit` selects between cropping its middle and padding it. An input of
    any size accepts images unchanged, apart from padding to a `multiple` of pixels. An image with a side longer than
    `tile` is computed in tiles that share `overlap` pixels with their neighbours and are blended there. An output that
    is `like` an input shows the same view in the same size, times `scale`. A `sketch` is an input of dark lines on
    white, which users may draw.
    """

    kind: Literal["image"] = "image"
    channels: Literal[1, 3]
    low: float = -1.0
    high: float = 1.0
    fit: Literal["crop", "pad"] = "crop"
    multiple: int = 1
    tile: int | None = None
    overlap: int = 0
    like: str | None = None
    scale: int = 1
    sketch: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise ValueError(f"{self.name} has the range {self.low}..{self.high}")
        if not self.any_size and (self.multiple, self.tile, self.overlap) != (1, None, 0):
            raise ValueError(f"{self.name} has a fixed size, so it can have neither a multiple nor tiles")
        if self.multiple < 1:
            raise ValueError(f"{self.name} has the multiple {self.multiple}, which is not positive")
        if not self._tiles_fit():
            raise ValueError(f"{self.name} has tiles of {self.tile} pixels that overlap by {self.overlap}")
        if self.scale < 1 or (self.scale > 1 and not self.like):
            raise ValueError(
                f"{self.name} has the scale {self.scale}; it must be positive, and above 1 it needs `like`"
            )

    def _tiles_fit(self) -> bool:
        """Return whether tiles start and end at multiples, and never more than two overlap in a row."""
        if self.tile is None:
            return self.overlap == 0
        return self.tile > 0 and self.tile % self.multiple == 0 and 0 <= 2 * self.overlap <= self.tile - self.multiple

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.height or -1, self.width or -1)

    @property
    def look(self) -> str:
        """A short description of the size and the colours."""
        colours = "grey" if self.channels == 1 else "RGB"
        if self.like:
            return f"{colours}, {f'{self.scale} times ' if self.scale > 1 else ''}as large as {self.like}"
        return colours if self.any_size else f"{self.width}x{self.height} {colours}"

    @property
    def about(self) -> str:
        padded = " and padded" if self.fit == "pad" else ""
        return f"an image of any size (made {self.look}{padded})"

    @property
    def hint(self) -> str:
        return f"{self.about}, a folder of them, or a glob in quotes"


@dataclass(frozen=True, kw_only=True)
class Mask(Raster):
    """The region of the first image input to fill in: 1 in the region, 0 elsewhere, in the image's size.

    In an output that is like the image, all other pixels are copied from the image.
    """

    channels: ClassVar[Literal[1]] = 1
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0

    kind: Literal["mask"] = "mask"

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, self.height or -1, self.width or -1)

    @property
    def about(self) -> str:
        return "an image, white or transparent where to fill in, one for each image or one for all"


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
        _check_classes(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.classes),)


InputTensor = Latent | Label | Scalar | Image | Mask
OutputTensor = Image | ScoreOutput | Probabilities


def _check_classes(tensor: Label | Probabilities) -> None:
    if len(tensor.classes) < 2:
        raise ValueError(f"{tensor.name} has fewer than two classes")
