"""Images and masks."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gan_serve.tensors.base import Choice, Pattern
from gan_serve.tensors.outputs import Drawn

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import RandomState
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Raster(Choice):
    """The base of images and masks: a size in pixels, or None for both sides if any size is allowed."""

    metavar: ClassVar[str] = "FILE"
    repeats: ClassVar[bool] = True
    several: ClassVar[str] = "- is stdin; repeat the option for more"

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
        return (self.shape[0], height, width) if self.any_size else self.shape

    @property
    @abstractmethod
    def about(self) -> str:
        """A short description."""

    @property
    def is_drawn(self) -> bool:
        return False

    @property
    def is_required(self) -> bool:
        return True

    @property
    def hint(self) -> str:
        return self.about

    @property
    def default_hint(self) -> str:
        return "none; it must be given"

    @property
    def example(self) -> str:
        return f"{self.name}.png"

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64", "description": f"Image file: {self.about}"}

    def encode(self, value: Any) -> Any:
        """Return the array (channels, height, width) of an image, which reads itself."""
        return value.array(self)

    def text_of(self, value: Any) -> str:
        """Return the name of an image's file."""
        return value.file or self.example


@dataclass(frozen=True, kw_only=True)
class Image(Raster, Drawn):
    """An image, channels first, with values from `low` (black) to `high` (white).

    An input of a fixed size accepts any image: `fit` selects between cropping its middle and padding it. An input of
    any size accepts images unchanged, apart from padding to a `multiple` of pixels. An image with a side longer than
    `tile` is computed in tiles that share `overlap` pixels with their neighbours and are blended there. An output that
    is `like` an input shows the same view in the same size, times `scale`. A `sketch` is an input of dark lines on
    white, which users may draw.
    """

    medium: ClassVar[str] = "images"
    accepts_booleans: ClassVar[bool] = False  # as pixels

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
    def shape(self) -> tuple[int, int, int]:
        return (self.channels, self.height or -1, self.width or -1)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (*self.shape[1:], self.channels)

    def to_pixels(self, array: "NDArray[Any]") -> "NDArray[np.uint8]":
        """Convert (N, channels, height, width) in the model's range to (N, height, width, channels) in 0..255."""
        import numpy as np

        levels = array - self.low  # in place from here, to save memory
        levels *= 255 / (self.high - self.low)
        return np.rint(levels, out=levels).clip(0, 255, out=levels).astype(np.uint8).transpose(0, 2, 3, 1)

    @property
    def makes(self) -> str:
        return f"image {self.look if self.like else 'x'.join(map(str, self.shape))}"

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
    def content(self) -> str:
        return self.look

    @property
    def extremes(self) -> list[Pattern]:
        return [(self.low,), ((self.low + self.high) / 2,), (self.high,)]

    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        return stream.uniform(self.low, self.high, (count, *self.shape_at(height, width)))

    @property
    def hint(self) -> str:
        return f"{self.about}, a folder of them, or a glob in quotes"


@dataclass(frozen=True, kw_only=True)
class Mask(Raster):
    """The region of the first image input to fill in: 1 in the region, 0 elsewhere, in the image's size.

    In an output that is like the image, all other pixels are copied from the image.
    """

    accepts_booleans: ClassVar[bool] = True
    channels: ClassVar[Literal[1]] = 1
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0
    fit: ClassVar[Literal["crop"]] = "crop"
    multiple: ClassVar[int] = 1
    tile: ClassVar[None] = None

    kind: Literal["mask"] = "mask"

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, self.height or -1, self.width or -1)

    @property
    def about(self) -> str:
        return "an image, white or transparent where to fill in, one for each image or one for all"

    @property
    def extremes(self) -> list[Pattern]:
        return [(self.low,), (self.high,)]

    def examples(self, stream: "RandomState", count: int, height: int, width: int) -> "NDArray[Any]":
        return stream.randint(2, size=(count, *self.shape_at(height, width)))
