"""Kinds of tensor: what a number in a model's input or output means.

Serving knows these kinds and nothing else about a model. A kind says how its values look to a person (`parse`), and
which array they become (`shape` without the batch axis, and `dtype`). Importing this module loads no numpy.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from gan_serve.array_values import is_list, plain
from gan_serve.class_names import class_numbers, number_in
from gan_serve.errors import UsageError, short_repr
from gan_serve.seeds import as_integer

FAR = 8.0  # standard deviations; of 10^15 normal numbers, one lies farther out


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """What every kind has: a name, and one sentence for the people who set or read it."""

    dtype: ClassVar[Literal["float32", "int64"]] = "float32"

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is no name of a tensor; use small letters, digits and _")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one item, without the batch axis; -1 is a length that varies."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Latent(Tensor):
    """Noise, drawn by the server from (seed, index): a vector of independent numbers."""

    kind: Literal["latent"] = "latent"
    size: int
    distribution: Literal["normal", "uniform"] = "normal"  # N(0, 1), or U(-1, 1)
    selected_by: str | None = None  # the scalar at whose default it may change nothing, such as a crossover

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < 1:
            raise ValueError(f"{self.name} has the size {self.size}")

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.size,)

    @property
    def low(self) -> float:
        """The lowest number for which a model must work."""
        return -self.high

    @property
    def high(self) -> float:
        """The highest number for which a model must work."""
        return 1.0 if self.distribution == "uniform" else FAR


@dataclass(frozen=True, kw_only=True)
class Label(Tensor):
    """One class out of several. Not given, it is drawn at random from (seed, index)."""

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
        """The integer that stands for each class: the one it is named by where all are, else its place from 0 on."""
        return class_numbers(self.classes) or tuple(range(len(self.classes)))

    def place(self, value: int) -> int:
        """Where the class of such an integer stands among the classes, which is what a network takes."""
        return self.values.index(value)

    def name_of(self, value: int) -> str:
        """What the class of such an integer is called."""
        return self.classes[self.place(value)]

    @property
    def hint(self) -> str:
        """What a user may write, in a few words."""
        if class_numbers(self.classes) is None:
            return f"{self.example} or a class name: {', '.join(self.classes)}"
        first, last = self.values[0], self.values[-1]
        is_range = first >= 0 and self.values == tuple(range(first, last + 1))
        return f"{self.classes[0]}-{self.classes[-1]}" if is_range else ", ".join(self.classes)

    @property
    def default_hint(self) -> str:
        """What happens when the user sets nothing."""
        return "drawn at random"

    @property
    def example(self) -> str:
        """A value that a user might write."""
        return f"{min(self.values)}-{max(self.values)}"

    def parse(self, value: object) -> list[int]:
        """Integers of classes for one of them, a class name, a list or a range: `3`, `"three"`, `"0,2,5-7"`.

        Where all classes are named by numbers, an integer is the class of that name; else it is a place from 0 on.

        Raises:
            UsageError: no such class.
        """
        given = plain(value)
        if isinstance(given, str):
            return self._parse_text(given)
        if is_list(given):
            return [number for item in given for number in self.parse(item)]
        return [self._checked(as_integer(given), given)]

    def _parse_text(self, text: str) -> list[int]:
        # The whole text first, so that a class name may hold a comma or a hyphen (T-shirt/top).
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
        """The class of that name; if none is spelled so, one that differs in capitals alone."""
        folded = [name.casefold() for name in self.classes]
        for names, name in ((self.classes, text), (folded, text.casefold())):
            if name in names:
                return self.values[names.index(name)]
        return None

    def _checked(self, number: int | None, given: object) -> int:
        if number not in self.values:
            raise UsageError(f"{self.name} {short_repr(given)} does not exist; use {self.hint}")
        return number


@dataclass(frozen=True, kw_only=True)
class Scalar(Tensor):
    """One number that a user may turn, such as the truncation, or a code that else is drawn from (seed, index)."""

    kind: Literal["scalar"] = "scalar"
    low: float
    high: float
    default: float | tuple[float, float]  # a number, or the range from which it is drawn when not given

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
        """What lies as far from the lowest as from the highest."""
        return (self.low + self.high) / 2

    @property
    def hint(self) -> str:
        """What a user may write, in a few words."""
        return f"a number from {self.low:g} to {self.high:g}"

    @property
    def default_hint(self) -> str:
        """What happens when the user sets nothing."""
        if isinstance(self.default, tuple):
            return f"drawn from {self.default[0]:g} to {self.default[1]:g}"
        return f"{self.default:g}"

    @property
    def example(self) -> str:
        """A value that a user might write."""
        return f"{self.low:g},{self.high:g}"

    def parse(self, value: object) -> list[float]:
        """Numbers for a number, a list, or text such as `"-1,0,1"`.

        Raises:
            UsageError: not a number, or out of range.
        """
        given = plain(value)
        if isinstance(given, str):
            return [self._checked(part) for part in given.split(",")]
        if is_list(given):
            return [number for item in given for number in self.parse(item)]
        return [self._checked(given)]

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
    """What images and masks share: a size in pixels, or None twice where a model takes or makes any size."""

    height: int | None
    width: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        sides = self.height, self.width
        if sides != (None, None) and not all(side is not None and side >= 1 for side in sides):
            raise ValueError(f"{self.name} has the size {self.width}x{self.height}")

    @property
    def any_size(self) -> bool:
        """Whether the size is that of the image in hand."""
        return self.height is None

    def shape_at(self, height: int, width: int) -> tuple[int, ...]:
        """The shape of one item where the image in hand has so many pixels."""
        return (self.shape[0], height, width) if self.any_size else self.shape

    @property
    def about(self) -> str:
        """What it is, in a few words."""
        raise NotImplementedError

    @property
    def hint(self) -> str:
        """What a user may write on a command line, in a few words."""
        return self.about

    @property
    def default_hint(self) -> str:
        """What happens when the user sets nothing."""
        return "none; it must be given"

    @property
    def example(self) -> str:
        """A value that a user might write."""
        return f"{self.name}.png"


@dataclass(frozen=True, kw_only=True)
class Image(Raster):
    """An image, channels first, whose values run from `low` (black) to `high` (white).

    An input of a fixed size takes any image: `fit` says whether the image's middle is cropped to its shape, or the
    image is padded to it. An input of any size takes it as it is, with sides padded to a `multiple` of pixels; where
    one is longer than `tile`, the image is computed in tiles that share `overlap` pixels with their neighbours, and
    are blended there. An output that is `like` an input shows the same view in the same size, times `scale`.
    An input that is a `sketch` is dark lines on white, which people may draw themselves.
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
            raise ValueError(f"{self.name} has a fixed size, and neither a multiple nor tiles")
        if self.multiple < 1:
            raise ValueError(f"{self.name} has sides of a multiple of {self.multiple}")
        if not self._tiles_fit():
            raise ValueError(f"{self.name} has tiles of {self.tile} pixels that overlap by {self.overlap}")
        if self.scale < 1 or (self.scale > 1 and not self.like):
            raise ValueError(f"{self.name} is {self.scale} times as large as nothing")

    def _tiles_fit(self) -> bool:
        """Whether tiles begin and end at multiples, and at most two of them overlap in a row."""
        if self.tile is None:
            return self.overlap == 0
        return self.tile > 0 and self.tile % self.multiple == 0 and 0 <= 2 * self.overlap <= self.tile - self.multiple

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.height or -1, self.width or -1)

    @property
    def look(self) -> str:
        """Size and colours, in a few words."""
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
    """What is to be filled in of the first image input, whose size it has: 1 there, and 0 where the image is kept.

    Kept pixels of an answer that is like the image are the image's own.
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
    """A number that a model gives its input, such as how real it is."""

    kind: Literal["score"] = "score"
    low: float
    high: float

    @property
    def shape(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class Probabilities(Tensor):
    """How likely each class is."""

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
