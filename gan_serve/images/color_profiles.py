"""Convert colours from a file's ICC profile to sRGB, the colour space of training data and screens."""

import functools
import io
from typing import NamedTuple

import numpy as np
from PIL import Image as PILImage
from PIL import ImageCms

from gan_serve.images.pixels import PilImage

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # a profile's colour space -> Pillow's mode
_SAME = 2  # levels; even sRGB profiles differ from each other by this much


class Conversion(NamedTuple):
    """A profile's transform from this mode to sRGB; None if the difference would be invisible."""

    mode: str
    transform: ImageCms.ImageCmsTransform | None


def to_rgb(image: PilImage, profile: bytes | None) -> PilImage:
    """Convert an 8-bit image to RGB by its profile, without its transparency. An unusable profile is ignored."""
    conversion = _conversion(profile) if profile else None
    if conversion is None or not _fits(image, conversion):
        return image.convert("RGB")
    pixels = image.convert(conversion.mode)
    if conversion.transform is None:
        return pixels.convert("RGB")
    converted = ImageCms.applyTransform(pixels, conversion.transform)
    assert converted is not None  # None is for conversions in place
    return converted


def can_use(profile: bytes, image: PilImage) -> bool:
    """Return whether this profile can convert the colours of this image."""
    conversion = _conversion(profile)
    return conversion is not None and _fits(image, conversion)


def _fits(image: PilImage, conversion: Conversion) -> bool:
    if "CMYK" in (image.mode, conversion.mode):
        return image.mode == conversion.mode
    return conversion.mode == "RGB" or image.mode in ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")


@functools.lru_cache(maxsize=8)  # the images of a folder mostly share a few profiles
def _conversion(profile: bytes) -> Conversion | None:
    """Return a profile's conversion; None if it is damaged, or not for the colours of pixels."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES[source.profile.xcolor_space]
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return Conversion(mode, None if _changes_nothing(mode, transform) else transform)
    except Exception:  # the C library raises many errors on damaged profiles
        return None


def _changes_nothing(mode: str, transform: ImageCms.ImageCmsTransform) -> bool:
    if mode == "CMYK":
        return False
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    probe = PILImage.fromarray(colours if mode == "RGB" else np.arange(256, dtype=np.uint8)[None])
    converted = ImageCms.applyTransform(probe, transform)
    return int(np.abs(np.asarray(probe.convert("RGB")).astype(int) - np.asarray(converted)).max()) <= _SAME
