"""Images that callers send: in a form's part, or as base64 in JSON.

An image waits as it was sent, and is decoded by the runner whose turn it is: a file of some kilobytes can hold many
megapixels.
"""

import binascii
import hashlib
import io
from base64 import b64decode
from dataclasses import replace
from pathlib import PurePath

from gan_serve.image_inputs import ImageInput
from gan_serve.images.animations import decode_frame, frame_count
from gan_serve.images.preprocess import open_pil_image, remarks, to_model, upright_size
from gan_serve.metadata import ModelMetadata
from gan_serve.request import Request
from gan_serve.server.errors import bad_request
from gan_serve.system.text import printable
from gan_serve.tensors import Image, Mask


def read_head(
    tensor: Image | Mask, name: str | None, content: bytes, most_pixels: int, *, animated: bool = False
) -> list[ImageInput]:
    """An image that a model is given, not decoded yet: its size is read from its head.

    It is alone, but for an animation of which all frames are taken, as `animated` says.

    Raises:
        Failure: it is no image.
        ApiError: it is too large.
    """
    shown = name or tensor.name
    with open_pil_image(io.BytesIO(content), shown) as image:
        (width, height), told = upright_size(image), remarks(image)
        frames = frame_count(image) if animated else 1
    if frames * width * height > most_pixels:
        several = f"{frames} frames of " if frames > 1 else ""
        raise bad_request(f"{shown}: {several}{width}x{height} pixels; send up to {most_pixels} in all")
    source = ImageInput(name, hashlib.sha256(content).hexdigest(), origin=content, size=(width, height), remarks=told)
    return [source] if frames == 1 else [replace(source, frame=number, remarks=()) for number in range(frames)]


def decode_images(metadata: ModelMetadata, asked: Request) -> Request:
    """The same request with its images decoded, each of them once.

    They are whole where the answer depends on their size, and else no larger than the network takes them.

    Raises:
        Failure: one is damaged.
        ApiError: one has another size than its head says.
    """
    decoded: dict[tuple[str, object], ImageInput] = {}
    for row in asked.inputs:
        for tensor in metadata.image_inputs:
            source = row[tensor.name]
            assert isinstance(source, ImageInput)
            if (tensor.name, source) not in decoded:
                decoded[tensor.name, source] = _decoded(tensor, source, whole=metadata.per_item)
    names = [tensor.name for tensor in metadata.image_inputs]
    rows = tuple({**row, **{name: decoded[name, row[name]] for name in names}} for row in asked.inputs)
    return replace(asked, inputs=rows)


def decode_base64(tensor: Image | Mask, text: object) -> bytes:
    """The bytes of an image in JSON, with or without the head of a data URL.

    Raises:
        ApiError: it is no base64.
    """
    if not isinstance(text, str):
        raise bad_request(f"{tensor.name} must be an image's file in base64, or a list of such")
    head, comma, _ = text[:64].partition(",")
    encoded = text[len(head) + 1 :] if comma and head.startswith("data:") else text
    try:
        return b64decode("".join(encoded.split()), validate=True)  # as base64 wraps its lines
    except (binascii.Error, ValueError):
        raise bad_request(
            f"{tensor.name} is no base64; send the image's file in base64, or the file itself in a form: "
            f"-F {tensor.name}=@FILE with curl"
        ) from None


def own_name(given: str | None) -> str | None:
    """A file's name without folders, as it may stand in what is made of it."""
    return printable(PurePath((given or "").replace("\\", "/")).name[:255]) or None


def _decoded(tensor: Image | Mask, source: ImageInput, *, whole: bool) -> ImageInput:
    shown = source.file or tensor.name
    assert isinstance(source.origin, bytes)
    image, duration = decode_frame(source.origin, source.frame or 0, shown)
    if image.size != source.size:  # by which the limits were kept; a PNG may say behind its pixels that it is turned
        raise bad_request(f"{shown}: it has another size than its head says; save it again, upright")
    origin = image if whole or isinstance(tensor, Mask) else to_model(image, tensor)
    return replace(source, origin=origin, duration=duration)
