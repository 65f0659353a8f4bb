"""Convert any image to a network's input. Training and serving share this code."""

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

# A decoded image, RGB or RGBA, or an array (channels, height, width) in a model's range.
ImageData = PilImage | NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right, bottom

# Pillow supports more formats, but some of them start other programs, and each one enlarges the attack surface.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
_DEEP = ("PNG", "PPM")  # formats whose 16-bit grey pixels Pillow opens as 32-bit integers
_TURNS = {  # EXIF orientation -> the operation that makes the image upright
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
    """Open an image, and check its format and size. Error messages call it `source`.

    Raises:
        Failure: It cannot be read, has another format, or is too large.
    """
    if formats is FORMATS and is_heic(file):
        register_heic(source)
        formats = (HEIC,)
    try:
        image = PILImage.open(file, formats=formats)
    except (PILImage.DecompressionBombError, PILImage.DecompressionBombWarning):
        raise Failure(f"{source}: {_TOO_LARGE}") from None
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or 'not an image of type ' + ', '.join(formats)}") from None
    except Exception as error:  # decoders raise many errors on damaged files
        raise Failure(f"{source}: damaged ({error})") from None
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise Failure(f"{source}: {image.width}x{image.height} pixels; {_TOO_LARGE}")
    return image


def read_image(file: Path | IO[bytes], source: str) -> PilImage:
    """Read an image, decoded and upright.

    Raises:
        Failure: It cannot be read.
    """
    with open_pil_image(file, source) as image:
        return upright(image, source)


def upright(image: PilImage, source: str) -> PilImage:
    """Decode an image: turned upright, in sRGB, with 8 bits per channel.

    The result is RGBA if the image has transparency, otherwise RGB. An unusable colour profile is ignored; `remarks`
    reports it.

    Raises:
        Failure: It is damaged, or has 32-bit pixels, whose range is unknown.
    """
    if image.mode == "F" or (image.mode == "I" and image.format not in _DEEP):
        raise Failure(f"{source}: its pixels have 32 bits, whose range is unknown; convert it to 8 or 16 bits")
    try:
        image.load()
        return _in_srgb(_to_8_bits(_turned(image)), image.info.get("icc_profile"))
    except Exception as error:  # decoders raise many errors on damaged files
        raise Failure(f"{source}: damaged ({error})") from None


def _in_srgb(image: PilImage, profile: bytes | None) -> PilImage:
    """Return a copy as RGBA if the image has transparency, otherwise RGB."""
    if not profile:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    from gan_serve.images.color_profiles import to_rgb

    converted = to_rgb(image, profile)
    if image.has_transparency_data:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted


def remarks(image: PilImage) -> tuple[str, ...]:
    """Return warnings about an open file, from its header alone."""
    several = ("holds several images; only the first is used",) if holds_several(image) else ()
    return (*several, *_about_profile(image))


def _about_profile(image: PilImage) -> tuple[str, ...]:
    profile = image.info.get("icc_profile")
    if not profile:
        return ()
    from gan_serve.images.color_profiles import can_use

    if can_use(profile, image):
        return ()
    return ("has an unusable colour profile; its colours are read as sRGB",)


def holds_several(image: PilImage) -> bool:
    """Return whether an open file has several images, such as frames or pages."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))  # MPO holds a camera's previews
    except Exception:  # decoders raise many errors on damaged files
        return False


def upright_size(image: PilImage) -> tuple[int, int]:
    """Return the width and height of the upright image, from its header alone."""
    is_turned = _turn(image) in _ON_ITS_SIDE and image.format != "TIFF"  # Pillow reports a TIFF's upright size
    return image.size[::-1] if is_turned else image.size


def _turn(image: PilImage) -> Transpose | None:
    """Return the operation that makes the image upright by its EXIF; None without readable EXIF."""
    try:
        exif = PILImage.Image.getexif(image)  # PNG's own `getexif` would decode the image
        return _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # EXIF may be damaged while the pixels are intact
        return None


def _turned(image: PilImage) -> PilImage:
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


class CropBox(NamedTuple):
    """The part of an image that a network sees (`seen`), and its place in the network's input (`inner`)."""

    seen: Box
    inner: Box


def crop_box(image: tuple[int, int], width: int, height: int, how: Literal["crop", "pad"]) -> CropBox:
    """Fit an image of this width and height to an input: crop its middle, or pad it.

    `inner` keeps the aspect ratio; the rest of the input is padding.
    """
    across, down = image
    if how == "crop":
        seen = _middle(across, down, across=down * width // height, down=across * height // width)
        return CropBox(seen, (0, 0, width, height))
    inner = _middle(width, height, across=round(height * across / down), down=round(width * down / across))
    return CropBox((0, 0, across, down), inner)


def _middle(width: int, height: int, *, across: int, down: int) -> Box:
    """Return the centred box of this size, limited to the image and to at least one pixel."""
    across, down = min(width, max(1, across)), min(height, max(1, down))
    left, top = (width - across) // 2, (height - down) // 2
    return (left, top, left + across, top + down)


def fit(image: PilImage, width: int, height: int, channels: int, how: Literal["crop", "pad"] = "crop") -> Pixels:
    """Crop or pad, and resize an image to (height, width, channels). Transparent parts become white."""
    seen, (left, top, right, bottom) = crop_box(image.size, width, height, how)
    resized = image.resize((right - left, bottom - top), PILImage.Resampling.LANCZOS, box=seen)
    pixels = flatten(resized, channels)
    if how == "crop":
        return pixels
    return np.pad(pixels, ((top, height - bottom), (left, width - right), (0, 0)), "edge")


def flatten(image: PilImage, channels: int) -> Pixels:
    """Convert RGB or RGBA to (height, width, channels), on white."""
    if image.mode == "RGBA":
        image = PILImage.alpha_composite(PILImage.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(*image.size[::-1], channels)


def size_of(image: ImageData) -> tuple[int, int]:
    """Return the width and height in pixels."""
    return (image.shape[2], image.shape[1]) if isinstance(image, np.ndarray) else image.size


def to_model(image: ImageData, tensor: Image | Mask) -> NDArray[np.float32]:
    """Convert an image to (channels, height, width) in the model's range; return such an array unchanged."""
    if isinstance(image, np.ndarray):
        return image
    if tensor.any_size:
        return from_pixels(flatten(image, tensor.channels), tensor)
    channels, height, width = tensor.shape
    return from_pixels(fit(image, width, height, channels, tensor.fit), tensor)


def read_array(array: NDArray[Any], tensor: Image | Mask) -> ImageData:
    """Convert an array of pixels to an image; return an array in the model's own shape and range unchanged.

    Raises:
        UsageError: The array is neither.
    """
    if array.dtype == np.bool_ and tensor.accepts_booleans:
        array = array.astype(np.uint8) * 255
    if array.dtype == np.uint8 and _has_pixels(array.shape):
        image = PILImage.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array)
        return upright(image, tensor.name)
    if array.dtype.kind != "f" or not _has_shape(array.shape, tensor):
        raise UsageError(
            f"{tensor.name} is an array of {array.dtype} {array.shape}; give uint8 (height, width) or (height, width, "
            f"3 or 4), or floats {tensor.shape} from {tensor.low:g} to {tensor.high:g}"
        )
    if not ((array >= tensor.low) & (array <= tensor.high)).all():  # also false for NaN
        raise UsageError(
            f"{tensor.name} has values from {array.min():g} to {array.max():g}; "
            f"the model takes {tensor.low:g} to {tensor.high:g}"
        )
    return array.astype(np.float32)


def _has_pixels(shape: tuple[int, ...]) -> bool:
    """Return whether a shape is (height, width), optionally with 1, 3 or 4 channels."""
    return len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,), (4,)) and 0 < shape[0] * shape[1] <= MAX_PIXELS


def _has_shape(shape: tuple[int, ...], tensor: Image | Mask) -> bool:
    return len(shape) == 3 and tensor.shape_at(*shape[1:]) == shape and 0 < shape[1] * shape[2] <= MAX_PIXELS


def _to_8_bits(image: PilImage) -> PilImage:
    """Keep the upper byte of 16-bit grey pixels. Pillow's own conversion would clip them to white."""
    if not image.mode.startswith("I"):
        return image
    return PILImage.fromarray((np.asarray(image).clip(0, 65_535) >> 8).astype(np.uint8))
