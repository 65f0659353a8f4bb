"""Convert a Python argument to input images: paths, bytes, open files, Pillow images, arrays, and lists of these."""

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
    """Return the input images of a path, folder, glob, bytes, open file, Pillow image, array, or a list of these.

    The only image is decoded once and kept; with several (`alone=False`), each is decoded again when needed. Warns
    about files and frames that are left out.

    Raises:
        UsageError: A file does not exist, or a value is not an image for this model.
        Failure: A file cannot be read.
    """
    if isinstance(value, str | PathLike):
        return _from_path(tensor.name, os.fsdecode(value), alone)
    if is_array(value):
        value = _rows(to_array(value))
    if (source := _from_memory(tensor, value, alone)) is not None:
        return [source]
    if not is_list(value):
        raise UsageError(f"{tensor.name} is of type {type(value).__name__}, not an image; {_GIVE}")
    return [source for item in value for source in parse_images(tensor, item, alone=False)]


def _rows(array: "NDArray[Any]") -> Any:
    """Split an array of text, objects or images into a list; return an array that is one image unchanged."""
    if array.dtype.kind in "OSU":
        return array.ravel().tolist()
    return [*array] if array.ndim == 4 else array


def _from_memory(tensor: Image | Mask, value: object, alone: bool) -> ImageInput | None:
    """Return the value as an image if it is one in memory."""
    import numpy as np
    from PIL import Image as PILImage

    if isinstance(value, ImageInput):
        return value
    if isinstance(value, Bytes) or hasattr(value, "read"):
        return _warned(_from_content(tensor.name, value, alone), tensor.name)
    if isinstance(value, PILImage.Image):
        return _warned(_from_pillow(tensor, value, alone), tensor.name)
    return _from_array(tensor, value) if isinstance(value, np.ndarray) else None


def _from_path(name: str, text: str, alone: bool) -> list[ImageInput]:
    found = image_files(name, text)
    if found.left_out:
        warnings.warn(found.left_out, stacklevel=2)
    return [_warned(open_image(path, keep=alone and len(found.files) == 1), name) for path in found.files]


def _warned(source: ImageInput, name: str) -> ImageInput:
    for remark in source.remarks:
        warnings.warn(f"{source.file or name} {remark}", stacklevel=2)
    return source


def _from_content(name: str, value: Any, alone: bool) -> ImageInput:
    """Decode the bytes of a file, or an open file, which is read from its current position and keeps its name."""
    content = bytes(value) if isinstance(value, Bytes) else _read_open(name, value)
    if not content:
        raise UsageError(f"{name} is empty; give all bytes of the file, or go to its start with seek(0)")
    file, source = _name_of(value), image_in_memory(content, name)
    return replace(source, file=file, origin=source.origin if alone else content)


def _read_open(name: str, file: Any) -> bytes:
    wrong = f"{name} is an open file that yields no bytes; open it with open(path, 'rb')"
    if isinstance(file, io.TextIOBase):
        raise UsageError(wrong)
    try:
        content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(f"{name}: cannot be read ({error.strerror or error})") from None
    except Exception:  # it is closed, or not a file at all
        raise UsageError(wrong) from None
    if not isinstance(content, Bytes):
        raise UsageError(wrong)
    return bytes(content)


def _name_of(value: Any) -> str | None:
    """Return an open file's name if it is in a folder, where `reproduce` can find it again."""
    name = getattr(value, "name", None)
    return printable(Path(name).name) if isinstance(name, str) and is_file(Path(name)) else None


def _from_pillow(tensor: Image | Mask, image: "PilImage", alone: bool) -> ImageInput:
    """Use the image's current frame, which the caller may have chosen with `seek`."""
    import numpy as np

    from gan_serve.images.animations import duration_of
    from gan_serve.images.preprocess import remarks, upright

    notes = remarks(image) if alone and getattr(image, "tell", int)() == 0 else ()
    source = _from_array(tensor, np.asarray(upright(image, tensor.name)))
    return replace(source, remarks=notes, duration=duration_of(image))


def _from_array(tensor: Image | Mask, array: "NDArray[Any]") -> ImageInput:
    from gan_serve.images.preprocess import read_array, size_of

    image = read_array(array, tensor)
    return ImageInput(None, hashlib.sha256(array.tobytes()).hexdigest(), origin=image, size=size_of(image))
