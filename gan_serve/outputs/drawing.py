"""One panel of a result: its images, and the files that hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gan_serve.errors import UsageError
from gan_serve.image_inputs import ImageInput
from gan_serve.images.encoding import encode_animation, encode_image
from gan_serve.images.npy import encode_npy
from gan_serve.images.pixels import (
    PilImage,
    Pixels,
    check_length,
    check_size,
    checked_scale,
    make_cells,
    tile,
    to_image,
)
from gan_serve.metadata import ModelMetadata
from gan_serve.outputs.panels import Panel, array_shape
from gan_serve.provenance import item_request, write_provenance
from gan_serve.request import Item, Request
from gan_serve.sampling import Arrays


@dataclass(frozen=True, eq=False)
class Drawing:
    """The images of one panel, for all items of a request. `scale` enlarges each pixel to `scale` x `scale`."""

    metadata: ModelMetadata
    sha256: str
    request: Request
    items: tuple[Item, ...]
    panel: Panel
    arrays: Arrays = field(repr=False)
    fitted_images: dict[str, list[Pixels]] = field(repr=False)

    def images(self, scale: int) -> list[PilImage]:
        """Return one image per item.

        Raises:
            UsageError: They would be too large.
        """
        return [to_image(pixels, scale) for pixels in self._pixels()]

    def grid(self, columns: int, scale: int) -> PilImage:
        """Return one image with all images.

        Raises:
            UsageError: It would be too large.
        """
        check_size(*self.panel.largest_size(self.request), len(self.items), columns, scale)
        return to_image(tile(self._pixels(), columns), scale)

    def encode(self, format: str, scale: int, columns: int | None = None) -> bytes:
        """Return one file: an array, a grid of `columns`, an animation, or the only image.

        Raises:
            UsageError: The images do not fit into such a file.
        """
        medium = self.panel.medium
        if format == "npy":
            array_shape(self.metadata, self.panel)
            return encode_npy(self.panel.array(self.arrays), self._document(self.request, scale, columns))
        if columns is not None:
            return encode_image(self.grid(columns, scale), format, self._document(self.request, scale, columns))
        if len(self.items) == 1:
            return next(self.encode_each(format, scale))
        if format in medium.animations:
            return self._encode_animation(format, scale)
        raise UsageError(f"{len(self.items)} images do not fit into one {format}; {medium.advice}")

    def encode_each(self, format: str, scale: int) -> Iterator[bytes]:
        """Yield a file for each item."""
        documents = (self._document(item_request(self.request.seed, item), scale) for item in self.items)
        if codec := self.panel.medium.find(format).codec:
            rows = zip(self.panel.array(self.arrays), documents, strict=True)
            return (codec.encode(self.panel.tensor, row, document) for row, document in rows)
        images = zip(self._pixels(), documents, strict=True)
        return (encode_image(to_image(pixels, scale), format, document) for pixels, document in images)

    def _encode_animation(self, format: str, scale: int) -> bytes:
        check_length(*self.panel.largest_size(self.request), len(self.items), scale)
        frames = [to_image(pixels, scale) for pixels in make_cells(self._pixels(), len(self.items))]
        return encode_animation(frames, format, self._document(self.request, scale), self._durations())

    def _document(self, request: Request, scale: int, columns: int | None = None) -> str:
        scale, name = checked_scale(scale), self.panel.name
        return write_provenance(self.metadata, self.sha256, request, scale=scale, columns=columns, output=name)

    def _pixels(self) -> Sequence[Pixels] | Pixels:
        return self.panel.pixels(self.arrays, self.fitted_images)

    def _durations(self) -> list[int | None]:
        """Return each image's duration in an animation, taken from the input frames; empty if none has one."""
        sources = [[each for each in item.inputs.values() if isinstance(each, ImageInput)] for item in self.items]
        times = [next((each.duration for each in row if each.duration is not None), None) for row in sources]
        return times if any(time is not None for time in times) else []
