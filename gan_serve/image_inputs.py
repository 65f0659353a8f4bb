"""Input images: from files, pipes or memory.

A request holds each image's file name and SHA-256, and reads the image when it is needed. A job therefore keeps only
the images in memory that it is working on, and detects files that have changed. This module does not import numpy.
"""

import hashlib
import io
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from gan_serve.errors import Failure, readable
from gan_serve.system.text import printable
from gan_serve.tensors import Image, Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gan_serve.images.pixels import PilImage
    from gan_serve.images.preprocess import ImageData

MAX_BYTES = 2**29  # of one file: more than the largest uncompressed image


@dataclass(frozen=True)
class ImageRef:
    """The identity of an input image in a request and in generated files."""

    file: str | None  # its `printable` name without folders; None: an array or a pipe
    sha256: str  # of the file's or the array's bytes
    frame: int | None = None  # of an animation; None: the only or the first image

    def __post_init__(self) -> None:
        if self.file is not None and ("/" in self.file or not self.file):
            raise ValueError(f"{self.file!r} is not a file name")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{self.sha256!r} is not a SHA-256")
        if self.frame is not None and not 0 <= self.frame < 2**31:
            raise ValueError(f"{self.frame} is not a frame number")

    def read(self) -> "ImageData":
        """Return the image, decoded and upright, or the array.

        Raises:
            Failure: It cannot be read, or has changed.
        """
        raise Failure(f"{self.file or 'an array'}: only the image's name is known; find_image finds the file")

    def array(self, tensor: Image | Mask) -> "NDArray[np.float32]":
        """Return the image as (channels, height, width) in the model's range. Raises the errors of `read`."""
        from gan_serve.images.preprocess import to_model

        return to_model(self.read(), tensor)


@dataclass(frozen=True)
class ImageInput(ImageRef):
    """An image that can be read: a file, its bytes, a decoded image, or an array in the model's shape and range."""

    origin: "Path | bytes | ImageData" = field(kw_only=True, repr=False, compare=False)
    size: tuple[int, int] = field(kw_only=True, repr=False, compare=False)  # width and height in pixels
    remarks: tuple[str, ...] = field(default=(), kw_only=True, repr=False, compare=False)  # warnings for the user
    path: Path | None = field(default=None, kw_only=True, repr=False, compare=False)  # None: not a file
    duration: int | None = field(default=None, kw_only=True, repr=False, compare=False)  # of the frame, in ms

    def read(self) -> "ImageData":
        if isinstance(self.origin, bytes):
            return _decode(self.origin, self.file or "an image", self.frame).image
        if not isinstance(self.origin, Path):
            return self.origin
        source, image = _read(self.origin, self.frame)
        if source != self:
            raise Failure(f"{self.origin}: the file has changed since the work began; run the command again")
        return image


def open_image(path: Path, *, keep: bool = False) -> ImageInput:
    """Open an image file and decode it once to check it. The decoded image is kept in memory only if `keep` is set.

    An image from a named pipe is always kept, and has no file name.

    Raises:
        Failure: It is not an image, or cannot be read.
    """
    source, image = _read(path)
    return replace(source, origin=image) if keep or source.file is None else source


def piped_image(stream: IO[bytes], name: str) -> ImageInput:
    """Read an image from a pipe. Error messages call it `name`.

    Raises:
        Failure: It is not an image, is too large, or cannot be read.
    """
    return image_in_memory(_piped(stream, name), name)


def image_in_memory(content: bytes, name: str) -> ImageInput:
    """Decode an image from the bytes of its file. Raises the errors of `piped_image`."""
    return _source(hashlib.sha256(content).hexdigest(), _decode(content, name))


def open_frames(path: Path) -> list[ImageInput]:
    """Decode all frames of an animation, or the one image of any other file.

    Raises:
        Failure: It cannot be read, or has too many pixels.
    """
    content, is_pipe = _content(path)
    frames = _frames(content, str(path))
    return frames if is_pipe else [replace(each, file=printable(path.name), path=path) for each in frames]


def piped_frames(stream: IO[bytes], name: str) -> list[ImageInput]:
    """Decode all frames of a file from a pipe. Error messages call it `name`."""
    return _frames(_piped(stream, name), name)


def find_image(reference: ImageRef, folders: Sequence[Path]) -> ImageInput:
    """Find the file that an earlier request read, in these folders.

    Raises:
        Failure: It is missing, or has changed.
    """
    if reference.file is None:
        raise Failure("the input was an array or a pipe, not a file; only its owner can reproduce the image")
    paths = [path for folder in folders for path in _named(reference.file, folder)]
    if not paths:
        searched = " or ".join(repr(str(folder)) for folder in folders)
        raise Failure(f"the input {reference.file!r} is not in {searched}; give its folder with --inputs DIR")
    for source, _ in (_read(path, reference.frame) for path in paths):
        if source.sha256 == reference.sha256:
            return source
    raise Failure(
        f"{paths[0]} is not the image that was used (sha256 {reference.sha256[:12]}...); "
        "give the folder of that image with --inputs DIR"
    )


def _named(file: str, folder: Path) -> list[Path]:
    """Return the files with this `printable` name."""
    exact = folder / file
    if exact.is_file():
        return [exact]
    return [each for each in folder.glob("*") if printable(each.name) == file and each.is_file()]


def _read(path: Path, frame: int | None = None) -> "tuple[ImageInput, PilImage]":
    content, is_pipe = _content(path)
    decoded, digest = _decode(content, str(path), frame), hashlib.sha256(content).hexdigest()
    source = _source(digest, decoded)
    if not is_pipe:
        source = replace(source, file=printable(path.name), frame=frame, origin=path, path=path)
    return source, decoded.image


def _piped(stream: IO[bytes], name: str) -> bytes:
    with readable(name):
        return stream.read(MAX_BYTES + 1)


def _frames(content: bytes, name: str) -> list[ImageInput]:
    from gan_serve.images.animations import decode_frames

    first = image_in_memory(content, name)
    frames = decode_frames(content, name)
    if len(frames) < 2:
        return [first]
    return [
        replace(first, frame=number, origin=image, size=image.size, duration=duration, remarks=())
        for number, (image, duration) in enumerate(frames)
    ]


def _source(digest: str, decoded: "_Decoded") -> ImageInput:
    image, remarks, duration = decoded
    return ImageInput(None, digest, origin=image, size=image.size, remarks=remarks, duration=duration)


def _content(path: Path) -> tuple[bytes, bool]:
    """Return the bytes of a file, and whether it is a pipe."""
    with readable(path), path.open("rb") as file:
        return file.read(MAX_BYTES + 1), stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)


class _Decoded(NamedTuple):
    image: "PilImage"
    remarks: tuple[str, ...]  # warnings for the user
    duration: int | None = None  # of a frame, in milliseconds


def _decode(content: bytes, name: str, frame: int | None = None) -> _Decoded:
    from gan_serve.images.animations import decode_frame
    from gan_serve.images.preprocess import open_pil_image, remarks, upright

    if len(content) > MAX_BYTES:
        raise Failure(f"{name}: larger than the limit for an image file ({MAX_BYTES // 2**20} MiB)")
    if frame is not None:
        image, duration = decode_frame(content, frame, name)
        return _Decoded(image, (), duration)
    with open_pil_image(io.BytesIO(content), name) as opened:
        return _Decoded(upright(opened, name), remarks(opened))
