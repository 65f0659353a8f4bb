"""Encode images with their provenance, and read generated files. Each format has a writer and a reader."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, PngImagePlugin
from PIL import Image as PILImage

from gan_serve.errors import Failure, UsageError
from gan_serve.images.npy import is_npy, read_npy, read_npy_document
from gan_serve.images.pixels import MAX_PIXELS, PilImage, Pixels
from gan_serve.images.preprocess import open_pil_image
from gan_serve.images.transparency import on_white
from gan_serve.system.interrupt import unfinished

PNG_KEY = "gan_serve"
_EXIF_KEY = ExifTags.Base.ImageDescription
_MAX_EXIF = 65_533  # bytes of EXIF in a JPEG file, including the header
_MAX_IDAT = 65_536  # bytes of pixels in one chunk of a PNG file
_COLOURS = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}  # PNG's colour types
_IMAGES = ("PNG", "WEBP", "JPEG", "GIF")
_DURATION = 90  # default milliseconds per frame of an animation


def encode_image(image: PilImage, format: str, document: str) -> bytes:
    """Encode a PNG, WebP or JPEG file that contains `document`."""
    return _WRITERS[format](image, document)


def encode_animation(
    images: Sequence[PilImage], format: str, document: str, durations: Sequence[int | None] = ()
) -> bytes:
    """Encode images of one size as an endless GIF or WebP animation that contains `document`.

    A GIF has 256 colours per image, including transparency, so it is lossless for grey images; WebP always is.
    `durations` are milliseconds; None means the default.
    """
    first, *others = [image.convert("RGBA") if image.mode == "LA" else image for image in images]
    options = _gif_options(document, first) if format == "gif" else {"exif": _exif(document), "lossless": True}
    times = [_DURATION if each is None else each for each in durations] or _DURATION
    return _saved(first, format.upper(), save_all=True, append_images=others, duration=times, loop=0, **options)


def _gif_options(document: str, image: PilImage) -> dict[str, Any]:
    """Return the options of a GIF. Transparent frames clear the previous one, which would show through."""
    cleared = {"disposal": 2} if image.mode == "RGBA" else {}
    return {"comment": document.encode(), **cleared}


def read_document(path: Path) -> str:
    """Read the document of a generated file without decoding its pixels.

    Raises:
        Failure: The file cannot be read, or gan-serve did not write it.
    """
    if is_npy(path):
        return read_npy_document(path)
    with _open_header(path) as image:
        return _document(image, path)


class GeneratedFile(NamedTuple):
    """The content of a generated file, regardless of its name."""

    document: str
    values: NDArray[Any]  # pixels, or the model's array
    format: str


def read_generated(path: Path) -> GeneratedFile:
    """Read a generated file.

    An animation is (N, height, width, 3), or 4 channels if it is transparent. Repeated frames are stored once.

    Raises:
        Failure: The file cannot be read, or gan-serve did not write it.
    """
    if is_npy(path):
        return GeneratedFile(*read_npy(path), "npy")
    with open_pil_image(path, str(path), _IMAGES) as image:
        document = _document(image, path)
        return GeneratedFile(document, _pixels(image, str(path)), (image.format or "").lower())


def decode_pixels(content: bytes) -> Pixels:
    """Decode the pixels of a generated image in memory, like `read_generated`."""
    with open_pil_image(io.BytesIO(content), "the image", _IMAGES) as image:
        return _pixels(image, "the image")


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file completely or not at all. Links are followed; devices and pipes are written directly.

    Raises:
        Failure: It cannot be written.
    """
    target = real_path(path)
    part = partial_path(target)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        with unfinished(part):
            part.write_bytes(content)
            part.replace(target)
    except OSError as error:
        raise Failure(f"{path}: cannot be written ({error.strerror})") from None


def real_path(path: Path) -> Path:
    """Return the path that is written: the target if `path` is a link."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def partial_path(path: Path) -> Path:
    """Return the hidden file that replaces `path` once it is complete."""
    return path.with_name(f".{path.name}.part")


def is_empty(path: Path) -> bool:
    """Return whether a path is an empty file, such as one from mktemp."""
    return path.is_file() and path.stat().st_size == 0


def make_folder(path: Path) -> None:
    """Create a folder and its parents if they do not exist.

    Raises:
        Failure: They cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{path}: the folder cannot be created ({error.strerror})") from None


def _pixels(image: PilImage, source: str) -> Pixels:
    try:
        return _decoded(image, source)
    except Failure:
        raise
    except Exception as error:  # decoders raise many errors on damaged files
        raise Failure(f"{source}: damaged ({error})") from None


def _decoded(image: PilImage, source: str) -> Pixels:
    frames = getattr(image, "n_frames", 1)
    if frames == 1 and image.format != "GIF":
        return np.asarray(image)
    if frames * image.width * image.height > MAX_PIXELS:
        raise Failure(f"{source}: {frames} frames have too many pixels to read")
    pixels = np.empty((frames, image.height, image.width, 4), np.uint8)
    for number, frame in enumerate(pixels):
        image.seek(number)
        frame[:] = image.convert("RGBA")
    return pixels[..., :3] if (pixels[..., 3] == 255).all() else pixels


def _write_png(image: PilImage, document: str) -> bytes:
    """Encode a PNG file: the same bytes as Pillow's `save`, which takes a third longer for a small image."""
    head = struct.pack(">IIBBBBB", *image.size, 8, _COLOURS[image.mode], 0, 0, 0)
    packed = image.tobytes("zip", image.mode, False, 1, -1, b"")  # compression level 1, with PNG's filters
    chunks = [_chunk(b"IHDR", head), _chunk(b"tEXt", f"{PNG_KEY}\0{document}".encode("ascii"))]
    chunks += [_chunk(b"IDAT", packed[at : at + _MAX_IDAT]) for at in range(0, len(packed), _MAX_IDAT)]
    return b"".join((b"\x89PNG\r\n\x1a\n", *chunks, _chunk(b"IEND", b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _write_webp(image: PilImage, document: str) -> bytes:
    # Without `exact`, the colours of transparent pixels would be lost.
    return _saved(image, "WEBP", lossless=True, exact=True, exif=_exif(document))


def _write_jpeg(image: PilImage, document: str) -> bytes:
    """Encode a JPEG file. JPEG has no transparency, so the image is put on white."""
    if image.mode in ("LA", "RGBA"):
        image = PILImage.fromarray(on_white(np.asarray(image)).squeeze())
    exif = _exif(document)
    if len(exif.tobytes()) > _MAX_EXIF:
        raise UsageError("the provenance of this image is too long for a JPEG; use png or webp")
    return _saved(image, "JPEG", quality=95, exif=exif)


_WRITERS: dict[str, Callable[[PilImage, str], bytes]] = {
    "png": _write_png,
    "webp": _write_webp,
    "jpeg": _write_jpeg,
}


def _saved(image: PilImage, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _exif(document: str) -> PILImage.Exif:
    exif = PILImage.Exif()
    exif[_EXIF_KEY] = document
    return exif


def _open_header(path: Path) -> PilImage:
    """Open an image for its metadata alone. Unlike `open_pil_image`, this has no limit on the pixels.

    Raises:
        Failure: It cannot be read, or has another format.
    """
    from PIL.GifImagePlugin import GifImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    for kind in (PngImagePlugin.PngImageFile, JpegImageFile, WebPImageFile, GifImageFile):
        try:
            return kind(path)
        except SyntaxError:  # another format
            continue
        except OSError as error:
            raise Failure(f"{path}: {error.strerror or 'not an image of type ' + ', '.join(_IMAGES)}") from None
        except Exception as error:  # decoders raise many errors on damaged files
            raise Failure(f"{path}: damaged ({error})") from None
    raise Failure(f"{path}: not an image of type {', '.join(_IMAGES)}")


def _document(image: PilImage, path: Path) -> str:
    try:
        document = _text(image)
    except Exception as error:  # decoders raise many errors on damaged files
        raise Failure(f"{path}: damaged ({error})") from None
    if not isinstance(document, str):
        raise Failure(f"{path}: gan-serve did not write it, or its provenance was removed")
    return document


def _text(image: PilImage) -> object:
    if image.format == "PNG":
        return image.info.get(PNG_KEY)
    if image.format == "GIF":
        return image.info.get("comment", b"").decode() or None
    return image.getexif().get(_EXIF_KEY)
