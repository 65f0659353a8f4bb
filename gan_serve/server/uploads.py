"""Pictures that callers send: in a form's part, or as base64 in JSON."""

import binascii
import hashlib
import io
from base64 import b64decode
from pathlib import PurePath

from gan_serve.errors import Failure
from gan_serve.pictures import open_picture, upright
from gan_serve.server.refusals import bad_request
from gan_serve.sources import Source
from gan_serve.tensors import Image, Mask


def decode_picture(tensor: Image | Mask, name: str | None, content: bytes, most_pixels: int) -> Source:
    """A picture that a model is given; its size is read from its head before anything is decoded.

    Raises:
        Refusal: it is no picture, or too large a one.
    """
    shown = name or tensor.name
    try:
        with open_picture(io.BytesIO(content), shown) as picture:
            if picture.width * picture.height > most_pixels:
                size = f"{picture.width}x{picture.height}"
                raise bad_request(f"{shown}: {size} pixels; send up to {most_pixels} in all")
            given = upright(picture, shown)
    except Failure as failure:
        raise bad_request(str(failure)) from None
    return Source(name, hashlib.sha256(content).hexdigest(), given, given.size)


def decode_base64(tensor: Image | Mask, text: object) -> bytes:
    """The bytes of a picture in JSON, with or without the head of a data URL.

    Raises:
        Refusal: it is no base64.
    """
    if not isinstance(text, str):
        raise bad_request(f"{tensor.name} must be a picture's file in base64, or a list of such")
    head, comma, _ = text[:64].partition(",")
    encoded = text[len(head) + 1 :] if comma and head.startswith("data:") else text
    try:
        return b64decode("".join(encoded.split()), validate=True)  # as base64 wraps its lines
    except (binascii.Error, ValueError):
        raise bad_request(f"{tensor.name} is no base64; send the picture's file in base64, or as multipart") from None


def own_name(given: str | None) -> str | None:
    """A file's name without folders, as it may stand in what is made of it."""
    return PurePath((given or "").replace("\\", "/")).name[:255] or None
