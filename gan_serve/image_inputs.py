"""The images that a user gives to a model: in files, through pipes, or in memory.

A request names each one by its file and its SHA-256, and reads it when its turn comes: a job holds no more images in
memory than it works on, and a file that was changed meanwhile is noticed. Importing this module loads no numpy.
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
from gan_serve.tensors import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gan_serve.images.pixels import PilImage
    from gan_serve.images.preprocess import Given

MOST_BYTES = 2**29  # of one file: more than the largest image takes without compression


@dataclass(frozen=True)
class ImageRef:
    """What a request, and the files that it makes, say of an image."""

    file: str | None  # its name without folders, as `printable` tells it; None: it came as an array, or through a pipe
    sha256: str  # of the file's bytes, or of the array's
    frame: int | None = None  # of an animation; None: the only image, or the first

    def __post_init__(self) -> None:
        if self.file is not None and ("/" in self.file or not self.file):
            raise ValueError(f"{self.file!r} is no name of a file")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{self.sha256!r} is no SHA-256")
        if self.frame is not None and not 0 <= self.frame < 2**31:
            raise ValueError(f"{self.frame} is no number of a frame")

    def read(self) -> "Given":
        """The image decoded and upright, or the array.

        Raises:
            Failure: it cannot be read, or is not what it was.
        """
        raise Failure(f"{self.file or 'an array'}: an image is known by its name alone; find_source finds the file")

    def array(self, tensor: Image) -> "NDArray[np.float32]":
        """The image as (channels, height, width) in the model's range; raises as `read` does."""
        from gan_serve.images.preprocess import to_model

        return to_model(self.read(), tensor)


@dataclass(frozen=True)
class ImageInput(ImageRef):
    """An image that can be read: a file, its bytes, one in memory, or an array that fits the model already."""

    origin: "Path | bytes | Given" = field(kw_only=True, repr=False, compare=False)
    size: tuple[int, int] = field(kw_only=True, repr=False, compare=False)  # width and height in pixels
    remarks: tuple[str, ...] = field(default=(), kw_only=True, repr=False, compare=False)  # what is not taken of it
    path: Path | None = field(default=None, kw_only=True, repr=False, compare=False)  # of its file, if it has one
    duration: int | None = field(default=None, kw_only=True, repr=False, compare=False)  # of a frame, in milliseconds

    def read(self) -> "Given":
        if isinstance(self.origin, bytes):
            return _decode(self.origin, self.file or "an image", self.frame).picture
        if not isinstance(self.origin, Path):
            return self.origin
        source, image = _read(self.origin, self.frame)
        if source != self:
            raise Failure(f"{self.origin}: it was changed after the work began; call again")
        return image


def open_image(path: Path, *, keep: bool = False) -> ImageInput:
    """A file that was read once, so that it is known to hold an image; decoded, it is kept or forgotten.

    What comes through a named pipe is always kept, and has no name.

    Raises:
        Failure: it does not, or cannot be read.
    """
    source, image = _read(path)
    return replace(source, origin=image) if keep or source.file is None else source


def piped_image(stream: IO[bytes], name: str) -> ImageInput:
    """An image whose file has no name here; `name` is what messages call it.

    Raises:
        Failure: it is none, too large, or cannot be read.
    """
    return image_in_memory(_piped(stream, name), name)


def image_in_memory(content: bytes, name: str) -> ImageInput:
    """An image out of the bytes of its file, decoded; raises as `piped_image` does."""
    return _source(hashlib.sha256(content).hexdigest(), _decode(content, name))


def open_frames(path: Path) -> list[ImageInput]:
    """All frames of an animation, decoded; of another file, its one image.

    Raises:
        Failure: it cannot be read, or has too many pixels.
    """
    content, is_pipe = _content(path)
    frames = _frames(content, str(path))
    return frames if is_pipe else [replace(each, file=printable(path.name), path=path) for each in frames]


def piped_frames(stream: IO[bytes], name: str) -> list[ImageInput]:
    """The same of a file that has no name here."""
    return _frames(_piped(stream, name), name)


def find_image(reference: ImageRef, folders: Sequence[Path]) -> ImageInput:
    """The file that an earlier request had read, looked for in these folders.

    Raises:
        Failure: it is not there, or has changed.
    """
    if reference.file is None:
        raise Failure("it was made from an array or a pipe, not from a file; only who has that can make it again")
    paths = [path for folder in folders for path in _named(reference.file, folder)]
    if not paths:
        looked = " or ".join(repr(str(folder)) for folder in folders)
        raise Failure(f"no {reference.file!r}, from which it was made, in {looked}; name its folder with --inputs DIR")
    for source, _ in (_read(path, reference.frame) for path in paths):
        if source.sha256 == reference.sha256:
            return source
    raise Failure(
        f"{paths[0]} is another image than the one that it was made from (sha256 {reference.sha256[:12]}...); "
        "name that one's folder with --inputs DIR"
    )


def _named(file: str, folder: Path) -> list[Path]:
    """The files that `printable` tells by this name."""
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
    return source, decoded.picture


def _piped(stream: IO[bytes], name: str) -> bytes:
    with readable(name):
        return stream.read(MOST_BYTES + 1)


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
    """All bytes of a file, and whether they came through a pipe."""
    with readable(path), path.open("rb") as file:
        return file.read(MOST_BYTES + 1), stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)


class _Decoded(NamedTuple):
    picture: "PilImage"
    remarks: tuple[str, ...]  # what is not taken of its file
    duration: int | None = None  # of a frame


def _decode(content: bytes, name: str, frame: int | None = None) -> _Decoded:
    from gan_serve.images.animations import decode_frame
    from gan_serve.images.preprocess import open_pil_image, remarks, upright

    if len(content) > MOST_BYTES:
        raise Failure(f"{name}: larger than an image's file can be ({MOST_BYTES // 2**20} MiB)")
    if frame is not None:
        image, duration = decode_frame(content, frame, name)
        return _Decoded(image, (), duration)
    with open_pil_image(io.BytesIO(content), name) as opened:
        return _Decoded(upright(opened, name), remarks(opened))
