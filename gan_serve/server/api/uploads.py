"""Images in requests: parts of a form, or base64 in JSON.

An image waits in the queue as an encoded file, and a worker decodes it: a file of a few kilobytes can hold many
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
    """Read an image's size from its header, without decoding its pixels.

    Return one input, or one for each frame if `animated` is set and the file is an animation.

    Raises:
        Failure: it is not an image.
        ApiError: it has too many pixels.
    """
    label = name or tensor.name
    with open_pil_image(io.BytesIO(content), label) as image:
        (width, height), warnings = upright_size(image), remarks(image)
        frames = frame_count(image) if animated else 1
    if frames * width * height > most_pixels:
        several = f"{frames} frames of " if frames > 1 else ""
        raise bad_request(f"{label}: {several}{width}x{height} pixels; send up to {most_pixels} in total")
    source = ImageInput(
        name, hashlib.sha256(content).hexdigest(), origin=content, size=(width, height), remarks=warnings
    )
    return [source] if frames == 1 else [replace(source, frame=number, remarks=()) for number in range(frames)]


def decode_images(metadata: ModelMetadata, request: Request) -> Request:
    """Return the request with its images decoded, each file once.

    Images keep their size if outputs depend on it; otherwise they are resized to the network's input.

    Raises:
        Failure: an image is damaged.
        ApiError: an image's size differs from its header.
    """
    decoded: dict[tuple[str, object], ImageInput] = {}
    for row in request.inputs:
        for tensor in metadata.image_inputs:
            source = row[tensor.name]
            assert isinstance(source, ImageInput)
            if (tensor.name, source) not in decoded:
                decoded[tensor.name, source] = _decoded(tensor, source, whole=metadata.per_item)
    names = [tensor.name for tensor in metadata.image_inputs]
    rows = tuple({**row, **{name: decoded[name, row[name]] for name in names}} for row in request.inputs)
    return replace(request, inputs=rows)


def decode_base64(tensor: Image | Mask, text: object) -> bytes:
    """Decode an image in JSON: base64, or a data URL.

    Raises:
        ApiError: it is not base64.
    """
    if not isinstance(text, str):
        raise bad_request(f"{tensor.name} must be an image file in base64, or a list of them")
    head, comma, _ = text[:64].partition(",")
    encoded = text[len(head) + 1 :] if comma and head.startswith("data:") else text
    try:
        return b64decode("".join(encoded.split()), validate=True)  # base64 may be wrapped in lines
    except (binascii.Error, ValueError):
        raise bad_request(
            f"{tensor.name} is not base64; send the image file in base64, or the file itself in a form: "
            f"-F {tensor.name}=@FILE with curl"
        ) from None


def safe_name(filename: str | None) -> str | None:
    """Return a file's name without folders and unprintable characters, for use in provenance and output names."""
    return printable(PurePath((filename or "").replace("\\", "/")).name[:255]) or None


def _decoded(tensor: Image | Mask, source: ImageInput, *, whole: bool) -> ImageInput:
    label = source.file or tensor.name
    assert isinstance(source.origin, bytes)
    image, duration = decode_frame(source.origin, source.frame or 0, label)
    if image.size != source.size:  # which the limits rely on; a PNG may have its orientation after its pixels
        raise bad_request(f"{label}: its size differs from its header; save it again, upright")
    origin = image if whole else to_model(image, tensor)
    return replace(source, origin=origin, duration=duration)
