"""What a user gives as an image, from Python above all -> sources: whatever holds one, alone or in lists."""

import hashlib
import io
import os
import warnings
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_serve.array_values import Bytes, is_array, is_list, to_array
from gan_serve.errors import Failure, UsageError
from gan_serve.image_inputs import MAX_BYTES, ImageInput, image_in_memory, open_image
from gan_serve.images.files import image_files, is_file
from gan_serve.system.text import printable
from gan_serve.tensors import Image, Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gan_serve.images.pixels import PilImage

_GIVE = "give a path, a Pillow image or an array, or a file that is open or in bytes"


def parse_images(tensor: Image | Mask, value: object, *, alone: bool = True) -> list[ImageInput]:
    """Sources for a path, a folder, a glob, a file's bytes, an open file, a Pillow image, an array, or a list of these.

    A file that is `alone` is decoded once; of several, only those at work are in memory. Warns of what is not taken.

    Raises:
        UsageError: no such file, or something that is no image for this model.
        Failure: a file that cannot be read.
    """
    if isinstance(value, str | PathLike):
        return _from_path(tensor.name, os.fsdecode(value), alone)
    if is_array(value):
        value = _rows(to_array(value))
    if (source := _from_memory(tensor, value, alone)) is not None:
        return [source]
    if not is_list(value):
        raise UsageError(f"{tensor.name} is no image but of type {type(value).__name__}; {_GIVE}")
    return [source for item in value for source in parse_images(tensor, item, alone=False)]


def _rows(array: "NDArray[Any]") -> Any:
    """A list of what is no image itself: of text or of objects, or of images behind one another."""
    if array.dtype.kind in "OSU":
        return array.ravel().tolist()
    return [*array] if array.ndim == 4 else array


def _from_memory(tensor: Image | Mask, value: object, alone: bool) -> ImageInput | None:
    """The one image that the value is, if it is one."""
    import numpy as np
    from PIL import Image as PILImage

    if isinstance(value, ImageInput):
        return value
    if isinstance(value, Bytes) or hasattr(value, "read"):
        return _warned(_from_content(tensor.name, value, alone), tensor.name)
    if isinstance(value, PILImage.Image):
        return _warned(_from_pillow(tensor, value, alone), tensor.name)
    return _from_array(tensor, value) if isinstance(value, np.ndarray) else None


def _from_path(name: str, given: str, alone: bool) -> list[ImageInput]:
    found = image_files(name, given)
    if found.left_out:
        warnings.warn(found.left_out, stacklevel=2)
    return [_warned(open_image(path, keep=alone and len(found.files) == 1), name) for path in found.files]


def _warned(source: ImageInput, name: str) -> ImageInput:
    for remark in source.remarks:
        warnings.warn(f"{source.file or name} {remark}", stacklevel=2)
    return source


def _from_content(name: str, value: Any, alone: bool) -> ImageInput:
    """The bytes of a file, or an open one, which is read from where it stands and keeps its name if it has one."""
    content = bytes(value) if isinstance(value, Bytes) else _read_open(name, value)
    if not content:
        raise UsageError(f"{name} is empty; give all bytes of the file, or go to its start with seek(0)")
    file, source = _name_of(value), image_in_memory(content, name)
    return replace(source, file=file, origin=source.origin if alone else content)


def _read_open(name: str, file: Any) -> bytes:
    wrong = f"{name} is an open file that gives no bytes; open it with open(path, 'rb')"
    if isinstance(file, io.TextIOBase):
        raise UsageError(wrong)
    try:
        content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(f"{name}: cannot be read ({error.strerror or error})") from None
    except Exception:  # it is closed, or something else than a file
        raise UsageError(wrong) from None
    if not isinstance(content, Bytes):
        raise UsageError(wrong)
    return bytes(content)


def _name_of(value: Any) -> str | None:
    """The name of an open file that lies in a folder, so that it can be found again."""
    name = getattr(value, "name", None)
    return printable(Path(name).name) if isinstance(name, str) and is_file(Path(name)) else None


def _from_pillow(tensor: Image | Mask, image: "PilImage", alone: bool) -> ImageInput:
    """The image as it stands: of an animation that was opened, the frame that its owner went to."""
    import numpy as np

    from gan_serve.images.animations import duration_of
    from gan_serve.images.preprocess import remarks, upright

    told = remarks(image) if alone and getattr(image, "tell", int)() == 0 else ()
    source = _from_array(tensor, np.asarray(upright(image, tensor.name)))
    return replace(source, remarks=told, duration=duration_of(image))


def _from_array(tensor: Image | Mask, array: "NDArray[Any]") -> ImageInput:
    from gan_serve.images.preprocess import read_array, size_of

    given = read_array(array, tensor)
    return ImageInput(None, hashlib.sha256(array.tobytes()).hexdigest(), origin=given, size=size_of(given))
