"""Any image -> what a network takes. What a model is trained on and what it is served with are read alike."""

from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as PILImage
from PIL.Image import Transpose

from gan_serve.errors import Failure, UsageError
from gan_serve.images.heic import HEIC, is_heic, register_heic
from gan_serve.images.pixels import MAX_PIXELS, PilImage, Pixels, from_pixels
from gan_serve.tensors import Image, Mask

# RGB of any size, RGBA where parts may be transparent, or (channels, height, width) in a model's range.
ImageData = PilImage | NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right, bottom

# Pillow knows more formats. Some of them start other programs, and each one is a way in for a file that means harm.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
_DEEP = ("PNG", "PPM")  # formats of which Pillow opens grey pixels of 16 bits as integers of 32
_TURNS = {  # EXIF's orientation -> what makes the image upright
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90)
_TOO_LARGE = f"more than the {MAX_PIXELS // 2**20} megapixels that gan-serve reads"


def open_pil_image(file: Path | IO[bytes], source: str, formats: tuple[str, ...] = FORMATS) -> PilImage:
    """An image whose header was read and whose size is bearable; `source` is what messages call it.

    Raises:
        Failure: unreadable, of another format, or too large.
    """
    if formats is FORMATS and is_heic(file):
        register_heic(source)
        formats = (HEIC,)
    try:
        image = PILImage.open(file, formats=formats)
    except (PILImage.DecompressionBombError, PILImage.DecompressionBombWarning):
        raise Failure(f"{source}: {_TOO_LARGE}") from None
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or 'not an image in ' + ', '.join(formats)}") from None
    except Exception as error:  # a decoder meets damage in many ways
        raise Failure(f"{source}: damaged ({error})") from None
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise Failure(f"{source}: {image.width}x{image.height} pixels; {_TOO_LARGE}")
    return image


def read_image(file: Path | IO[bytes], source: str) -> PilImage:
    """An image decoded and upright.

    Raises:
        Failure: it cannot be.
    """
    with open_pil_image(file, source) as image:
        return upright(image, source)


def upright(image: PilImage, source: str) -> PilImage:
    """The image decoded, turned as it is to be looked at, in sRGB with 8 bits each.

    It is RGBA where it has transparency, else RGB. A colour profile that cannot be used is ignored; `remarks` says so.

    Raises:
        Failure: it is damaged, or has pixels of 32 bits, whose range nothing tells.
    """
    if image.mode == "F" or (image.mode == "I" and image.format not in _DEEP):
        raise Failure(f"{source}: its pixels have 32 bits each, of which nobody knows what is white; give 8 or 16 bits")
    try:
        image.load()
        return _in_srgb(_to_8_bits(_turned(image)), image.info.get("icc_profile"))
    except Exception as error:  # a decoder meets damage in many ways
        raise Failure(f"{source}: damaged ({error})") from None


def _in_srgb(image: PilImage, profile: bytes | None) -> PilImage:
    """RGBA where it has transparency, else RGB: a copy, since the image may be the caller's own."""
    if not profile:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    from gan_serve.images.color_profiles import to_rgb

    converted = to_rgb(image, profile)
    if image.has_transparency_data:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted


def remarks(image: PilImage) -> tuple[str, ...]:
    """What is not taken of an open file, by its header alone."""
    several = ("holds several images; only the first is taken",) if holds_several(image) else ()
    return (*several, *_about_profile(image))


def _about_profile(image: PilImage) -> tuple[str, ...]:
    profile = image.info.get("icc_profile")
    if not profile:
        return ()
    from gan_serve.images.color_profiles import can_use

    if can_use(profile, image):
        return ()
    return ("has a colour profile that cannot be used; its colours are taken as sRGB",)


def holds_several(image: PilImage) -> bool:
    """Whether an open file has more images than its first: an animation, or pages."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))  # MPO: a camera's own previews
    except Exception:  # what cannot be read is no image
        return False


def upright_size(image: PilImage) -> tuple[int, int]:
    """Width and height that the image will have when it is upright, by its header alone."""
    is_turned = _turn(image) in _ON_ITS_SIDE and image.format != "TIFF"  # whose size is turned
    return image.size[::-1] if is_turned else image.size


def _turn(image: PilImage) -> Transpose | None:
    """What makes it upright, as its EXIF says; where that cannot be read, it stays as it lies."""
    try:
        exif = PILImage.Image.getexif(image)  # PNG's own would decode the image
        return _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # whatever is in there, the pixels may be sound
        return None


def _turned(image: PilImage) -> PilImage:
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


class CropBox(NamedTuple):
    """Which part of an image a network sees, and where in its input that part lies."""

    seen: Box
    inner: Box


def frame(image: tuple[int, int], width: int, height: int, how: Literal["crop", "pad"]) -> CropBox:
    """How an image of this width and height is fitted: its middle is cropped to the new shape, or all of it is seen.

    What is inner keeps the image's aspect; the rest of the input is padding.
    """
    across, down = image
    if how == "crop":
        seen = _middle(across, down, across=down * width // height, down=across * height // width)
        return CropBox(seen, (0, 0, width, height))
    inner = _middle(width, height, across=round(height * across / down), down=round(width * down / across))
    return CropBox((0, 0, across, down), inner)


def _middle(width: int, height: int, *, across: int, down: int) -> Box:
    """The box in the middle that is as large as it may be, one pixel at least."""
    across, down = min(width, max(1, across)), min(height, max(1, down))
    left, top = (width - across) // 2, (height - down) // 2
    return (left, top, left + across, top + down)


def fit(image: PilImage, width: int, height: int, channels: int, how: Literal["crop", "pad"] = "crop") -> Pixels:
    """RGB or RGBA -> (height, width, channels): cropped or padded, and resized; transparent parts become white."""
    seen, (left, top, right, bottom) = frame(image.size, width, height, how)
    resized = image.resize((right - left, bottom - top), PILImage.Resampling.LANCZOS, box=seen)
    pixels = flatten(resized, channels)
    if how == "crop":
        return pixels
    return np.pad(pixels, ((top, height - bottom), (left, width - right), (0, 0)), "edge")


def flatten(image: PilImage, channels: int) -> Pixels:
    """RGB or RGBA -> (height, width, channels) as on white paper."""
    if image.mode == "RGBA":
        image = PILImage.alpha_composite(PILImage.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(*image.size[::-1], channels)


def size_of(given: ImageData) -> tuple[int, int]:
    """Width and height in pixels."""
    return (given.shape[2], given.shape[1]) if isinstance(given, np.ndarray) else given.size


def to_model(given: ImageData, tensor: Image) -> NDArray[np.float32]:
    """An image of any size -> (channels, height, width) in the model's range; such an array stays as it is."""
    if isinstance(given, np.ndarray):
        return given
    if tensor.any_size:
        return from_pixels(flatten(given, tensor.channels), tensor)
    channels, height, width = tensor.shape
    return from_pixels(fit(given, width, height, channels, tensor.fit), tensor)


def read_array(array: NDArray[Any], tensor: Image | Mask) -> ImageData:
    """Pixels in an array are an image; an array in the model's own shape and range stays as it is.

    Raises:
        UsageError: it is neither.
    """
    if array.dtype == np.bool_ and isinstance(tensor, Mask):
        array = array.astype(np.uint8) * 255
    if array.dtype == np.uint8 and _has_pixels(array.shape):
        image = PILImage.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array)
        return upright(image, tensor.name)
    if array.dtype.kind != "f" or not _has_shape(array.shape, tensor):
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
    return len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,), (4,)) and 0 < shape[0] * shape[1] <= MAX_PIXELS


def _has_shape(shape: tuple[int, ...], tensor: Image | Mask) -> bool:
    return len(shape) == 3 and tensor.shape_at(*shape[1:]) == shape and 0 < shape[1] * shape[2] <= MAX_PIXELS


def _to_8_bits(image: PilImage) -> PilImage:
    """16-bit grey images keep their upper byte; Pillow's own conversion would clip them to white."""
    if not image.mode.startswith("I"):
        return image
    return PILImage.fromarray((np.asarray(image).clip(0, 65_535) >> 8).astype(np.uint8))
