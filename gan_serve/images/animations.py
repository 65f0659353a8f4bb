"""Animations that go in: their frames, and for how long each is shown."""

import io
from typing import NamedTuple

from gan_serve.errors import Failure
from gan_serve.images.pixels import MOST_PIXELS, Picture
from gan_serve.images.preprocess import holds_several, open_picture, upright

_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")  # whose several pictures follow one another in time, unlike pages


class Shown(NamedTuple):
    """A frame as it is seen, whatever of the one before it stays, and its milliseconds if the file tells them."""

    picture: Picture
    duration: int | None


def frame_count(picture: Picture) -> int:
    """How many pictures an open file shows in turn; one, if it is no animation."""
    if picture.format not in _FORMATS or not holds_several(picture):
        return 1
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:  # what cannot be counted is told when it is decoded
        return 1


def decode_frames(content: bytes, name: str) -> list[Shown]:
    """All frames of an animation, or the one picture of another file; `name` is what messages call it.

    Raises:
        Failure: it is damaged, or has too many pixels.
    """
    with open_picture(io.BytesIO(content), name) as picture:
        frames = frame_count(picture)
        if frames * picture.width * picture.height > MOST_PIXELS:
            size, most = f"{picture.width}x{picture.height}", MOST_PIXELS // 2**20
            raise Failure(f"{name}: {frames} frames of {size} pixels; give up to {most} megapixels in all")
        return [_decode_frame(picture, number, name) for number in range(frames)]


def decode_frame(content: bytes, number: int, name: str) -> Shown:
    """One frame of them.

    Raises:
        Failure: it is damaged, or there is no such frame.
    """
    with open_picture(io.BytesIO(content), name) as picture:
        return _decode_frame(picture, number, name)


def duration_of(picture: Picture) -> int | None:
    """How many milliseconds a decoded frame is shown, if it tells."""
    duration = picture.info.get("duration")
    return round(duration) if isinstance(duration, int | float) and 0 <= duration < 2**24 else None


def _decode_frame(picture: Picture, number: int, name: str) -> Shown:
    if number:
        try:
            picture.seek(number)
        except Exception as error:  # a decoder meets damage in many ways
            raise Failure(f"{name}: has no frame {number} ({error})") from None
    shown = upright(picture, name)
    return Shown(shown, duration_of(picture))
