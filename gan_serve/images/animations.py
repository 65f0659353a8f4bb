"""Animations that go in: their frames, and for how long each is shown."""

import io
from typing import NamedTuple

from gan_serve.errors import Failure
from gan_serve.images.pixels import MAX_PIXELS, PilImage
from gan_serve.images.preprocess import holds_several, open_pil_image, upright

_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")  # whose several images follow one another in time, unlike pages


class Shown(NamedTuple):
    """A frame as it is seen, whatever of the one before it stays, and its milliseconds if the file tells them."""

    image: PilImage
    duration: int | None


def frame_count(image: PilImage) -> int:
    """How many images an open file shows in turn; one, if it is no animation."""
    if image.format not in _FORMATS or not holds_several(image):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # what cannot be counted is told when it is decoded
        return 1


def decode_frames(content: bytes, name: str) -> list[Shown]:
    """All frames of an animation, or the one image of another file; `name` is what messages call it.

    Raises:
        Failure: it is damaged, or has too many pixels.
    """
    with open_pil_image(io.BytesIO(content), name) as image:
        frames = frame_count(image)
        if frames * image.width * image.height > MAX_PIXELS:
            size, most = f"{image.width}x{image.height}", MAX_PIXELS // 2**20
            raise Failure(f"{name}: {frames} frames of {size} pixels; give up to {most} megapixels in all")
        return [_decode_frame(image, number, name) for number in range(frames)]


def decode_frame(content: bytes, number: int, name: str) -> Shown:
    """One frame of them.

    Raises:
        Failure: it is damaged, or there is no such frame.
    """
    with open_pil_image(io.BytesIO(content), name) as image:
        return _decode_frame(image, number, name)


def duration_of(image: PilImage) -> int | None:
    """How many milliseconds a decoded frame is shown, if it tells."""
    duration = image.info.get("duration")
    return round(duration) if isinstance(duration, int | float) and 0 <= duration < 2**24 else None


def _decode_frame(image: PilImage, number: int, name: str) -> Shown:
    if number:
        try:
            image.seek(number)
        except Exception as error:  # a decoder meets damage in many ways
            raise Failure(f"{name}: has no frame {number} ({error})") from None
    shown = upright(image, name)
    return Shown(shown, duration_of(image))
