"""Any picture -> what a network takes. What a model is trained on and what it is served with are read alike."""

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageOps

from gan_serve.errors import Failure, UsageError
from gan_serve.pixels import MOST_PIXELS, Picture, Pixels, from_pixels
from gan_serve.tensors import Image

# Pillow knows more formats. Some of them start other programs, and each one is a way in for a file that means harm.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_TOO_LARGE = f"more than the {MOST_PIXELS // 2**20} megapixels that gan-serve reads and writes"


def open_picture(file: Path | IO[bytes], source: str, formats: tuple[str, ...] = FORMATS) -> Picture:
    """A picture whose header was read and whose size is bearable; `source` is what messages call it.

    Raises:
        Failure: unreadable, of another format, or too large.
    """
    try:
        picture = Pictures.open(file, formats=formats)
    except (Pictures.DecompressionBombError, Pictures.DecompressionBombWarning):
        raise Failure(f"{source}: {_TOO_LARGE}") from None
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or 'not a picture in ' + ', '.join(formats)}") from None
    except Exception as error:  # a decoder meets damage in many ways
        raise Failure(f"{source}: damaged ({error})") from None
    if picture.width * picture.height > MOST_PIXELS:
        picture.close()
        raise Failure(f"{source}: {picture.width}x{picture.height} pixels; {_TOO_LARGE}")
    return picture


def read_picture(file: Path | IO[bytes], source: str) -> Picture:
    """A picture decoded and upright.

    Raises:
        Failure: it cannot be.
    """
    with open_picture(file, source) as picture:
        return upright(picture, source)


def upright(picture: Picture, source: str) -> Picture:
    """The picture decoded, turned as it is to be looked at, as RGBA with 8 bits each.

    Raises:
        Failure: it is damaged.
    """
    try:
        return _to_8_bits(ImageOps.exif_transpose(picture)).convert("RGBA")
    except Exception as error:  # a decoder meets damage in many ways
        raise Failure(f"{source}: damaged ({error})") from None


def fit(picture: Picture, width: int, height: int, channels: int) -> Pixels:
    """RGBA -> (height, width, channels): the middle in the new aspect, resized; transparent parts become white."""
    across = min(picture.width, max(1, picture.height * width // height))
    down = min(picture.height, max(1, picture.width * height // width))
    left, top = (picture.width - across) // 2, (picture.height - down) // 2
    box = (left, top, left + across, top + down)
    resized = picture.resize((width, height), Pictures.Resampling.LANCZOS, box=box)
    opaque = Pictures.alpha_composite(Pictures.new("RGBA", resized.size, "white"), resized)
    return np.asarray(opaque.convert("L" if channels == 1 else "RGB")).reshape(height, width, channels)


def to_model(picture: Picture, tensor: Image) -> NDArray[np.float32]:
    """RGBA of any size -> (channels, height, width) in the model's range."""
    channels, height, width = tensor.shape
    return from_pixels(fit(picture, width, height, channels), tensor)


def array_to_model(array: NDArray[Any], tensor: Image) -> NDArray[np.float32]:
    """The same for pixels in an array; an array in the model's own shape and range stays as it is.

    Raises:
        UsageError: it is neither.
    """
    if array.dtype == np.uint8 and _has_pixels(array.shape):
        picture = Pictures.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array)
        return to_model(upright(picture, tensor.name), tensor)
    if array.dtype.kind != "f" or array.shape != tensor.shape:
        raise UsageError(
            f"{tensor.name} is an array of {array.dtype} {array.shape}; give uint8 (height, width) or (height, width, "
            f"3 or 4), or floats {tensor.shape} from {tensor.low:g} to {tensor.high:g}"
        )
    if not ((array >= tensor.low) & (array <= tensor.high)).all():  # NaN fails here too
        raise UsageError(
            f"{tensor.name} has values from {array.min():g} to {array.max():g}; "
            f"the model takes {tensor.low:g} to {tensor.high:g}"
        )
    return array.astype(np.float32)


def _has_pixels(shape: tuple[int, ...]) -> bool:
    """Whether it is (height, width), or that with 1, 3 or 4 channels behind."""
    return len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,), (4,)) and 0 < shape[0] * shape[1] <= MOST_PIXELS


def _to_8_bits(picture: Picture) -> Picture:
    """16-bit grey pictures keep their upper byte; Pillow's own conversion would clip them to white."""
    if not picture.mode.startswith("I"):
        return picture
    return Pictures.fromarray((np.asarray(picture).clip(0, 65_535) >> 8).astype(np.uint8))
