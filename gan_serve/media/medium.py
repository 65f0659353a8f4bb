"""What a medium is: file formats, and which of them hold several outputs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Codec(ABC):
    """The writer and the reader of a format that belongs to one kind of output."""

    signature: ClassVar[bytes]  # a regular expression that matches the beginning of each file, and of no image or array

    @abstractmethod
    def encode(self, output: Any, row: "NDArray[Any]", document: str) -> bytes:
        """Return a file with one row of an output's array, and the document with its provenance."""

    @abstractmethod
    def decode(self, content: bytes) -> "tuple[str, NDArray[Any]]":
        """Return the document and the values of a file. It may raise any error on a damaged one."""


@dataclass(frozen=True)
class Format:
    """A file format."""

    name: str
    media_type: str
    suffixes: tuple[str, ...]
    holds: str = "images"
    many: bool = False  # whether a file holds any number of outputs
    codec: Codec | None = None  # None: images, arrays and numbers, which every kind has


@dataclass(frozen=True)
class Medium:
    """The file formats of a kind of output."""

    name: str
    formats: tuple[Format, ...]
    default: str
    advice: str  # for outputs that do not fit into one file
    animations: tuple[str, ...] = ()  # formats that hold several outputs as an animation of their images
    shown: str = "png"  # the format in which the demo shows an output

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the formats."""
        return tuple(format.name for format in self.formats)

    @cached_property
    def suffixes(self) -> Mapping[str, str]:
        """File suffixes, and the formats that they mean."""
        return {suffix: format.name for format in self.formats for suffix in format.suffixes}

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The formats that hold one image, or one grid of images."""
        return tuple(format.name for format in self.formats if format.holds == "images")

    @cached_property
    def many(self) -> tuple[str, ...]:
        """The formats whose files hold any number of outputs."""
        return tuple(format.name for format in self.formats if format.many)

    @cached_property
    def joined(self) -> tuple[str, ...]:
        """The formats that never make a folder of several outputs."""
        return (*self.many, *(name for name in self.animations if name not in self.images))

    def find(self, name: str) -> Format:
        """Return the format of this name."""
        return next(format for format in self.formats if format.name == name)
