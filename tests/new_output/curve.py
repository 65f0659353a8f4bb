"""A curve: a toy kind of output."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gan_serve.tensors.outputs import Drawn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEIGHT = 32


@dataclass(frozen=True, kw_only=True)
class Curve(Drawn):
    """Numbers in a row, drawn as a red line on white, from -1 at the bottom to 1 at the top."""

    medium: ClassVar[str] = "curves"

    kind: Literal["curve"] = "curve"
    points: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.points,)

    @property
    def makes(self) -> str:
        return f"curve of {self.points} points"

    @property
    def content(self) -> str:
        return f"{self.points} points"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (_HEIGHT, self.points, 3)

    def to_pixels(self, array: "NDArray[Any]") -> "NDArray[np.uint8]":
        import numpy as np

        lines = np.rint((1 - array) / 2 * (_HEIGHT - 1)).astype(int)
        pixels = np.full((len(array), *self.image_shape), 255, np.uint8)
        row, column = np.indices(array.shape)
        pixels[row, lines, column] = (255, 0, 0)
        return pixels
