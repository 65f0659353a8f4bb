"""Decode the frames of animations, with their durations."""

import io
from typing import NamedTuple

from gan_serve.errors import Failure
from gan_serve.images.pixels import MAX_PIXELS, PilImage
from gan_serve.images.preprocess import holds_several, open_pil_image, upright

_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")  # formats whose images are frames rather than pages


class Frame(NamedTuple):
    """A frame, composed with the frames before it, and its duration in milliseconds if the file has one."""

    image: PilImage
    duration: int | None


def frame_count(image: PilImage) -> int:
    """Return the number of frames of an open file: 1 if it is not an animation."""
    if image.format not in _FORMATS or not holds_several(image):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # decoding will report the damage
        return 1


def decode_frames(content: bytes, name: str) -> list[Frame]:
    """Decode all frames of an animation, or the one image of any other file. Error messages call it `name`.

    Raises:
        Failure: It is damaged, or has too many pixels.
    """
    with open_pil_image(io.BytesIO(content), name) as image:
        frames = frame_count(image)
        if frames * image.width * image.height > MAX_PIXELS:
            size, limit = f"{image.width}x{image.height}", MAX_PIXELS // 2**20
            raise Failure(f"{name}: {frames} frames of {size} pixels; give up to {limit} megapixels in all")
        return [_decode_frame(image, number, name) for number in range(frames)]


def decode_frame(content: bytes, number: int, name: str) -> Frame:
    """Decode one frame of an animation.

    Raises:
        Failure: It is damaged, or has no such frame.
    """
    with open_pil_image(io.BytesIO(content), name) as image:
        return _decode_frame(image, number, name)


def duration_of(image: PilImage) -> int | None:
    """Return the duration of a decoded frame in milliseconds, if it has one."""
    duration = image.info.get("duration")
    return round(duration) if isinstance(duration, int | float) and 0 <= duration < 2**24 else None


def _decode_frame(image: PilImage, number: int, name: str) -> Frame:
    if number:
        try:
            image.seek(number)
        except Exception as error:  # decoders raise many errors on damaged files
            raise Failure(f"{name}: has no frame {number} ({error})") from None
    decoded = upright(image, name)  # before its duration, which Pillow reads while decoding
    return Frame(decoded, duration_of(image))
