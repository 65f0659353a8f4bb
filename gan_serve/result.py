"""The result of a request: arrays, and methods that show, encode and save them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gan_serve.errors import UsageError
from gan_serve.formats import check_format, plan_output
from gan_serve.images.encoding import make_folder, write_atomic
from gan_serve.images.limits import MAX_SIDE
from gan_serve.images.pixels import PilImage, Pixels, checked_scale, square_columns
from gan_serve.media import medium_of
from gan_serve.media.numbers import MEDIUM as NUMBERS
from gan_serve.metadata import ModelMetadata
from gan_serve.naming import item_stem, request_stem
from gan_serve.numeric_outputs import NumericOutputs, encode_numeric_outputs, make_numeric_outputs, summarize
from gan_serve.outputs.drawing import Drawing
from gan_serve.outputs.panels import PanelFile, array_shape, find_panel, panel_files
from gan_serve.request import Item, Request
from gan_serve.sampling import Arrays
from gan_serve.seeds import checked_integer
from gan_serve.system.text import path_text


@dataclass(frozen=True, eq=False)
class Result:
    """The images or numbers that a model returned for a request, with everything needed to reproduce them."""

    metadata: ModelMetadata
    sha256: str
    request: Request
    items: tuple[Item, ...]  # random stream and inputs of each image
    outputs: Arrays = field(repr=False)  # the network's arrays, except images of any size
    fitted_images: dict[str, list[Pixels]] = field(repr=False, default_factory=dict)  # resized like an input image

    def __len__(self) -> int:
        return len(self.items)

    @property
    def seed(self) -> int:
        """The seed, whether it was given or random."""
        return self.request.seed

    @property
    def array(self) -> NDArray[Any]:
        """The images (N, channels, height, width). Image outputs of one size and range are side by side.

        They have the network's output size, even where `images()` are as large as the input images. All arrays are in
        `outputs`, by name.

        Raises:
            UsageError: The model makes no images, or images of any size.
        """
        array_shape(self.metadata)
        return find_panel(self.metadata).array(self.outputs)

    def answers(self) -> list[NumericOutputs]:
        """Return the inputs and numeric outputs of each image by name, as plain Python values.

        >>> result.answers()
        [{'image': 'seven.png', 'classes': {'0': 2e-06, ...}, 'classes_top': '7', 'realness': 0.988342}]
        """
        return [
            make_numeric_outputs(
                item.inputs, self.metadata.outputs, {name: rows[place] for name, rows in self.outputs.items()}
            )
            for place, item in enumerate(self.items)
        ]

    def summaries(self) -> list[str]:
        """Return one line for each image, with its name and its numeric outputs; none if the model has no numbers.

        >>> result.summaries()
        ['ssgan-classifier-seven-4ab19c66: classes 7 (99.9%), realness 0.9883']
        """
        if not self.metadata.numeric_outputs:
            return []
        pairs = zip(self._stems(), self.answers(), strict=True)
        return [f"{stem}: {summarize(self.metadata.numeric_outputs, answer)}" for stem, answer in pairs]

    def drawing(self, output: str | None = None) -> Drawing:
        """Return the images of the first panel, or of one output alone, by its name.

        Raises:
            UsageError: The model makes no images, or there is no such output.
        """
        panel = find_panel(self.metadata, output)
        return Drawing(self.metadata, self.sha256, self.request, self.items, panel, self.outputs, self.fitted_images)

    def images(self, scale: int = 1, *, output: str | None = None) -> list[PilImage]:
        """Return Pillow images, with each pixel enlarged to `scale` x `scale`.

        Image outputs of the first one's size and range are beside it. `output` names one output, which is then alone.

        Raises:
            UsageError: They would be too large, `scale` is not a positive integer, or there is no such output.
        """
        return self.drawing(output).images(checked_scale(scale))

    def grid(self, columns: int | None = None, scale: int = 1, *, output: str | None = None) -> PilImage:
        """Return one image with all images: a row for several of the same input, otherwise nearly a square.

        Raises:
            UsageError: It would be too large, `columns` or `scale` is not a positive integer, or there is no such
                output.
        """
        columns = grid_columns(self.request) if columns is None else _checked_columns(columns)
        return self.drawing(output).grid(columns, checked_scale(scale))

    def encode(
        self, format: str | None = None, *, scale: int = 1, columns: int | None = None, output: str | None = None
    ) -> bytes:
        """Return one file as bytes: an array, a grid of `columns`, an animation, an image, or numbers.

        Raises:
            UsageError: The result does not fit into such a file, `columns` or `scale` is not a positive integer, or
                there is no such output.
        """
        medium = medium_of(self.metadata) if output is None else find_panel(self.metadata, output).medium
        scale = checked_scale(scale)
        columns = None if columns is None else _checked_columns(columns)
        format = format or medium.default
        check_format(format, medium, images=len(self), grid=columns is not None)
        if format not in NUMBERS.names:
            return self.drawing(output).encode(format, scale, columns)
        if len(self) > 1 and format not in NUMBERS.many:
            raise UsageError(f"{len(self)} images do not fit into one {format}; {NUMBERS.advice}")
        return encode_numeric_outputs(self.answers())

    def encode_each(self, format: str, scale: int = 1) -> Iterator[tuple[str, bytes]]:
        """Yield a file name and the file's bytes for each image, and for each output that has files of its own."""
        files = [panel_files(self.metadata, Path(f"{stem}.{format}"), format) for stem in self._stems()]
        columns = [self._encode_each(file, scale) for file in files[0]]
        for row in files:
            for file, contents in zip(row, columns, strict=True):
                yield file.path.name, next(contents)

    def encode_files(
        self, path: Path, format: str, *, scale: int = 1, columns: int | None = None
    ) -> Iterator[tuple[Path, bytes]]:
        """Yield a path and the file's bytes as `encode` does, for each output that has files of its own."""
        for file in panel_files(self.metadata, path, format):
            output = file.panel.name if file.panel else None
            yield file.path, self.encode(file.format, scale=scale, columns=columns, output=output)

    def save(
        self, path: str | PathLike[str], *, scale: int = 1, grid: bool = False, format: str | None = None
    ) -> list[Path]:
        """Write one file (an image, a grid, an animation, an array), or one per image into a folder. Return the paths.

        An output with files of its own has its name at their end: `one-heat.png` beside `one.png`.

            >>> result.save("three.png")  # the only image
            >>> result.save("threes.png", grid=True, scale=4)
            >>> result.save("threes.npy")  # the array
            >>> result.save("threes.gif")  # one image after the other; or .webp
            >>> result.save("threes/", format="webp")  # one file per image
            >>> result.save("digits.jsonl")  # a model with numeric outputs: one line per image

        Raises:
            UsageError: Several images do not fit into one file, the format does not exist, or `scale` is not a
                positive integer.
        """
        scale = checked_scale(scale)
        stem = request_stem(self.metadata, self.request)
        medium, columns = medium_of(self.metadata), grid_columns(self.request) if grid else None
        output = plan_output(path_text("path", path), format, medium, stem=stem, images=len(self), grid=grid)
        make_folder(output.path if output.folder else output.path.parent)
        each = ((output.path / name, content) for name, content in self.encode_each(output.format, scale))
        joined = self.encode_files(output.path, output.format, scale=scale, columns=columns)
        paths = []
        for file, content in each if output.folder else joined:
            write_atomic(file, content)
            paths.append(file)
        return paths

    def _encode_each(self, file: PanelFile, scale: int) -> Iterator[bytes]:
        if file.panel is None:
            return (encode_numeric_outputs([answer]) for answer in self.answers())
        return self.drawing(file.panel.name).encode_each(file.format, scale)

    def _stems(self) -> list[str]:
        return [item_stem(self.metadata, self.seed, item) for item in self.items]


def _checked_columns(columns: object) -> int:
    return checked_integer("columns", columns, 1, MAX_SIDE)


def grid_columns(request: Request) -> int:
    """Return the columns of a request's grid.

    Several images of each row of inputs, or mixed images, are in a row of their own; others are nearly a square.
    """
    if request.width > 1:
        return request.width
    return request.count if len(request.inputs) > 1 and request.count > 1 else square_columns(len(request))
