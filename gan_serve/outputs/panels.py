"""Panels: which outputs of a model become one image, and in which files.

Image outputs of the first one's size and range are one panel with it, side by side. Every other drawn output is a panel
of its own, whose files stand beside those of the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import UsageError, short_repr
from gan_serve.image_inputs import ImageInput
from gan_serve.images.pixels import Pixels, check_size
from gan_serve.media import find_medium
from gan_serve.media.medium import Medium
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request
from gan_serve.suggestions import nearest
from gan_serve.tensors import Drawn, Image


@dataclass(frozen=True)
class Panel:
    """Outputs that become one image: one output, or several side by side."""

    outputs: tuple[Drawn, ...]
    name: str | None = None  # the output's, in the names and the provenance of files; the first panel has none

    @cached_property
    def tensor(self) -> Drawn:
        """The outputs as one."""
        first, *others = self.outputs
        if not others or not isinstance(first, Image) or first.any_size:
            return first
        return replace(first, width=sum(output.image_shape[1] for output in self.outputs))

    @cached_property
    def medium(self) -> Medium:
        """The formats of its files."""
        return find_medium(self.outputs[0])

    def format(self, wanted: str) -> str:
        """Return the wanted format if the medium has it, or else the medium's usual one."""
        return wanted if wanted in self.medium.names else self.medium.default

    def array(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return the arrays of its outputs (N, ...), side by side."""
        first, *others = (arrays[output.name] for output in self.outputs)
        return np.concatenate([first, *others], axis=-1) if others else first

    def pixels(
        self, arrays: Mapping[str, NDArray[Any]], fitted: Mapping[str, list[Pixels]]
    ) -> Sequence[Pixels] | Pixels:
        """Return the images (height, width, channels) of its outputs, side by side. `fitted` ones are finished."""
        if self.outputs[0].name not in fitted:
            return self.tensor.to_pixels(self.array(arrays))
        first, *others = (fitted[output.name] for output in self.outputs)
        return [np.concatenate(images, axis=1) for images in zip(first, *others, strict=True)] if others else first

    def largest_size(self, request: Request) -> tuple[int, int]:
        """Return the height and width of the largest image of a request."""
        tensor = self.tensor
        if not isinstance(tensor, Image) or not tensor.like:
            return tensor.image_shape[:2]
        sources = [source for row in request.inputs if isinstance(source := row[tensor.like], ImageInput)]
        height, width = (max(source.size[side] for source in sources) * tensor.scale for side in (1, 0))
        return height, width * len(self.outputs)


class PanelFile(NamedTuple):
    """A file of an output: of a panel, or of the numbers if `panel` is None."""

    panel: Panel | None
    path: Path
    format: str


def panels_of(metadata: ModelMetadata) -> tuple[Panel, ...]:
    """Return the panels of a model; none if it makes numbers alone."""
    if not metadata.drawn_outputs:
        return ()
    first, *others = metadata.drawn_outputs
    beside = [output for output in others if _look(output) == _look(first)]
    apart = [output for output in others if output not in beside]
    return (Panel((first, *beside)), *(Panel((output,), output.name) for output in apart))


def _look(output: Drawn) -> object:
    """Return what outputs side by side have in common."""
    if not isinstance(output, Image):
        return output.name
    return (*output.shape[:2], output.low, output.high, output.like, output.scale)


def find_panel(metadata: ModelMetadata, output: object = None) -> Panel:
    """Return the panel of an output; the first one if it is None.

    Raises:
        UsageError: The model makes no images, or no output of this name has a panel.
    """
    panels = panels_of(metadata)
    if not panels:
        kinds = " and ".join(tensor.kind for tensor in metadata.outputs)
        raise UsageError(f"{metadata.name} makes no images; its {kinds} are in the result's answers() and outputs")
    names = {name: panel for panel in panels for name in (panel.name, *(each.name for each in panel.outputs))}
    if output not in names:
        known = [each.name for each in metadata.drawn_outputs]
        meant = nearest(str(output), known)
        raise UsageError(f"{metadata.name} has no image {short_repr(output)}{meant}; it makes {', '.join(known)}")
    return names[output]


def panel_files(metadata: ModelMetadata, path: Path, format: str) -> list[PanelFile]:
    """Return the files that hold an output: the first panel's at `path`, and those of the others beside it."""
    first, *others = panels_of(metadata) or (None,)
    if first is None or format not in first.medium.names:
        return [PanelFile(None, path, format)]
    return [PanelFile(first, path, format), *(_beside(path, format, panel) for panel in others if panel)]


def _beside(path: Path, format: str, panel: Panel) -> PanelFile:
    own = panel.format(format)
    suffix = path.suffix if own == format else f".{own}"
    return PanelFile(panel, path.with_name(f"{path.name.removesuffix(path.suffix)}-{panel.name}{suffix}"), own)


def array_shape(metadata: ModelMetadata, panel: Panel | None = None) -> tuple[int, ...]:
    """Return the shape of one item in the array of a panel, the first one by default.

    Raises:
        UsageError: The model makes no images, or images of any size.
    """
    tensor = (panel or find_panel(metadata)).tensor
    if -1 in tensor.shape:
        raise UsageError(f"{metadata.name} makes images of any size, which no array can hold; use images or a folder")
    return tensor.shape


def check_sizes(metadata: ModelMetadata, request: Request, columns: int | None, scale: int) -> None:
    """Reject images, or a grid of `columns`, that would be too large, before they are computed.

    Raises:
        UsageError: A side is too long.
    """
    for panel in panels_of(metadata):
        check_size(*panel.largest_size(request), len(request) if columns else 1, columns or 1, scale)


def count_pixels(metadata: ModelMetadata, request: Request) -> int:
    """Return the pixels of all images of a request, at most, before they are enlarged."""
    sizes = [panel.largest_size(request) for panel in panels_of(metadata)]
    return len(request) * sum(height * width for height, width in sizes)
