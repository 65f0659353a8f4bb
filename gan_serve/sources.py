"""The pictures that a user gives to a model: files, folders, globs, Pillow images and arrays.

A request names each one by its file and its SHA-256, and reads it when its turn comes: a job holds no more pictures in
memory than it works on, and a file that was changed meanwhile is noticed. Importing this module loads no numpy.
"""

import glob
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gan_serve.errors import Failure, UsageError, shown
from gan_serve.home import with_home
from gan_serve.tensors import Image, Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gan_serve.pictures import Given
    from gan_serve.pixels import Picture

_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".pgm", ".ppm"))
_MOST_BYTES = 2**29  # of one file: more than the largest picture takes without compression


@dataclass(frozen=True)
class Reference:
    """What a request, and the files that it makes, say of a picture."""

    file: str | None  # its name without folders; None: it came as an array, or through a pipe
    sha256: str  # of the file's bytes, or of the array's

    def __post_init__(self) -> None:
        if self.file is not None and ("/" in self.file or not self.file):
            raise ValueError(f"{self.file!r} is no name of a file")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{self.sha256!r} is no SHA-256")

    def read(self) -> "Given":
        """The picture decoded and upright, or the array.

        Raises:
            Failure: it cannot be read, or is not what it was.
        """
        raise Failure(f"{self.file or 'an array'}: a picture is known by its name alone; find_source finds the file")

    def array(self, tensor: Image) -> "NDArray[np.float32]":
        """The picture as (channels, height, width) in the model's range; raises as `read` does."""
        from gan_serve.pictures import to_model

        return to_model(self.read(), tensor)


@dataclass(frozen=True)
class Source(Reference):
    """A picture that can be read: a file, its bytes, one in memory, or an array that fits the model already."""

    origin: "Path | bytes | Given" = field(repr=False, compare=False)
    size: tuple[int, int] = field(repr=False, compare=False)  # width and height in pixels
    is_first: bool = field(default=False, repr=False, compare=False)  # of several in its file
    path: Path | None = field(default=None, repr=False, compare=False)  # where its file lies, if it has one

    def read(self) -> "Given":
        if isinstance(self.origin, bytes):
            return _decode(self.origin, self.file or "a picture")[0]
        if not isinstance(self.origin, Path):
            return self.origin
        source, picture = _read(self.origin)
        if source != self:
            raise Failure(f"{self.origin}: it was changed after the work began; call again")
        return picture


def parse_sources(tensor: Image | Mask, value: object, *, alone: bool = True) -> list[Source]:
    """Sources for a path, a folder, a glob, a Pillow image, an array, or a list of these.

    A file that is `alone` is decoded once; of several, only those at work are in memory.

    Raises:
        UsageError: no such file, or something that is no picture for this model.
        Failure: a file that cannot be read.
    """
    if isinstance(value, Source):
        return [value]
    if isinstance(value, str | PathLike):
        paths = picture_files(tensor.name, fspath(value))
        return [open_source(path, keep=alone and len(paths) == 1) for path in paths]
    if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping) and getattr(value, "ndim", 4) == 4:
        return [source for item in value for source in parse_sources(tensor, item, alone=False)]
    return [_from_memory(tensor, value)]


def picture_files(name: str, given: str) -> list[Path]:
    """The files that a path, a folder or a glob means, in the order of their names; `name` is the input's.

    Raises:
        UsageError: none.
    """
    path = Path(given)
    if _is_file(path) or path.is_fifo():  # first, since a file's own name may look like a glob
        return [path]
    given = with_home(given)
    path = Path(given)
    if given and path.is_dir():
        try:
            found = [each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES and each.name[0] != "."]
        except OSError:
            return [path]  # whose reading will tell why
    else:
        # Path.glob takes no absolute pattern, and would find hidden files.
        found = [Path(match) for match in glob.glob(given, recursive=True)]  # noqa: PTH207
    files = sorted(each for each in found if _is_file(each))
    if not files:
        wrong = "holds no pictures" if given and path.is_dir() else "does not exist"
        raise UsageError(f"{name} {shown(given)} {wrong}; give a file, a folder of pictures, or a glob in quotes")
    return files


def _is_file(path: Path) -> bool:
    """Whether it is a file; also where nobody may look, which its reading will tell."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True


def open_source(path: Path, *, keep: bool = False) -> Source:
    """A file that was read once, so that it is known to hold a picture; decoded, it is kept or forgotten.

    What comes through a named pipe is always kept, and has no name.

    Raises:
        Failure: it does not, or cannot be read.
    """
    source, picture = _read(path)
    return replace(source, origin=picture) if keep or source.file is None else source


def piped_source(stream: IO[bytes], name: str) -> Source:
    """A picture whose file has no name here; `name` is what messages call it.

    Raises:
        Failure: it is none, too large, or cannot be read.
    """
    with _told(name):
        content = stream.read(_MOST_BYTES + 1)
    picture, is_first = _decode(content, name)
    return Source(None, hashlib.sha256(content).hexdigest(), picture, picture.size, is_first)


def find_source(reference: Reference, folders: Sequence[Path]) -> Source:
    """The file that an earlier request had read, looked for in these folders.

    Raises:
        Failure: it is not there, or has changed.
    """
    if reference.file is None:
        raise Failure("it was made from an array or a pipe, not from a file; only who has that can make it again")
    paths = [path for path in (folder / reference.file for folder in folders) if path.is_file()]
    if not paths:
        looked = " or ".join(repr(str(folder)) for folder in folders)
        raise Failure(f"no {reference.file!r}, from which it was made, in {looked}; name its folder with --inputs DIR")
    for source in map(open_source, paths):
        if source.sha256 == reference.sha256:
            return source
    raise Failure(
        f"{paths[0]} is another picture than the one that it was made from (sha256 {reference.sha256[:12]}...); "
        "name that one's folder with --inputs DIR"
    )


def _read(path: Path) -> "tuple[Source, Picture]":
    with _told(str(path)), path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
        is_pipe = stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
    (picture, is_first), digest = _decode(content, str(path)), hashlib.sha256(content).hexdigest()
    if is_pipe:
        return Source(None, digest, picture, picture.size, is_first), picture
    return Source(path.name, digest, path, picture.size, is_first, path), picture


@contextmanager
def _told(name: str) -> Iterator[None]:
    """A file that cannot be read is told in one line."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{name}: cannot be read ({error.strerror})") from None


def _decode(content: bytes, name: str) -> "tuple[Picture, bool]":
    """The picture, and whether it is the first of several."""
    from gan_serve.pictures import holds_several, open_picture, upright

    if len(content) > _MOST_BYTES:
        raise Failure(f"{name}: larger than a picture's file can be ({_MOST_BYTES // 2**20} MiB)")
    with open_picture(io.BytesIO(content), name) as picture:
        return upright(picture, name), holds_several(picture)


def _from_memory(tensor: Image | Mask, value: Any) -> Source:
    import numpy as np
    from PIL import Image as Pictures

    from gan_serve.pictures import read_array, size_of, upright

    if isinstance(value, Pictures.Image):
        value = np.asarray(upright(value, tensor.name))
    if not isinstance(value, np.ndarray):
        kind = type(value).__name__
        raise UsageError(f"{tensor.name} is no picture but of type {kind}; give a path, a Pillow image or an array")
    given = read_array(value, tensor)
    return Source(None, hashlib.sha256(value.tobytes()).hexdigest(), given, size_of(given))
