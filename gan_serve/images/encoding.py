"""Images and arrays <-> files that say how they were made. Each format has a function to write and one to read."""

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
_LONGEST_EXIF = 65_533  # bytes in a JPEG file, with their header
_LONGEST_IDAT = 65_536  # bytes of pixels in one chunk of a PNG file
_COLOURS = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}  # the colour types of PNG
_IMAGES = ("PNG", "WEBP", "JPEG", "GIF")
_DURATION = 90  # milliseconds of an image in an animation


def encode_image(image: PilImage, format: str, document: str) -> bytes:
    """The bytes of a PNG, WebP or JPEG file that carries `document`."""
    return _WRITERS[format](image, document)


def encode_animation(
    images: Sequence[PilImage], format: str, document: str, durations: Sequence[int | None] = ()
) -> bytes:
    """The bytes of a GIF or WebP file that shows images of one size in turn, for ever, and carries `document`.

    A GIF has 256 colours an image, of which one may be transparent; grey ones, and all in WebP, keep every pixel.
    `durations` are milliseconds, each of which may be left open.
    """
    first, *others = [image.convert("RGBA") if image.mode == "LA" else image for image in images]
    how = _gif_options(document, first) if format == "gif" else {"exif": _exif(document), "lossless": True}
    times = [_DURATION if each is None else each for each in durations] or _DURATION
    return _saved(first, format.upper(), save_all=True, append_images=others, duration=times, loop=0, **how)


def _gif_options(document: str, image: PilImage) -> dict[str, Any]:
    """Through a transparent image, the one before it must not be seen: it is cleared away."""
    cleared = {"disposal": 2} if image.mode == "RGBA" else {}
    return {"comment": document.encode(), **cleared}


def read_document(path: Path) -> str:
    """The document that a generated file carries; its pixels are not decoded.

    Raises:
        Failure: unreadable, or gan-serve did not write it.
    """
    if is_npy(path):
        return read_npy_document(path)
    with _open_header(path) as image:
        return _document(image, path)


class GeneratedFile(NamedTuple):
    """What a generated file holds, whatever its name is."""

    document: str
    numbers: NDArray[Any]  # pixels, or the array as the model made it
    format: str


def read_generated(path: Path) -> GeneratedFile:
    """All of a generated file.

    An animation is (N, height, width, 3), or 4 where it is transparent; images that follow one that is alike are not
    among them.

    Raises:
        Failure: unreadable, or gan-serve did not write it.
    """
    if is_npy(path):
        return GeneratedFile(*read_npy(path), "npy")
    with open_pil_image(path, str(path), _IMAGES) as image:
        document = _document(image, path)
        return GeneratedFile(document, _pixels(image, str(path)), (image.format or "").lower())


def decode_pixels(content: bytes) -> Pixels:
    """The pixels of a generated image that is in memory, as `read_generated` tells them."""
    with open_pil_image(io.BytesIO(content), "the image", _IMAGES) as image:
        return _pixels(image, "the image")


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link keeps pointing to it, and a device or a pipe takes it as it comes.

    Raises:
        Failure: it cannot be written.
    """
    place = real_path(path)
    part = partial_path(place)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        with unfinished(part):
            part.write_bytes(content)
            part.replace(place)
    except OSError as error:
        raise Failure(f"{path}: cannot be written ({error.strerror})") from None


def real_path(path: Path) -> Path:
    """Where a file lies that is written at `path`: where that points to, if it is a link."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def partial_path(path: Path) -> Path:
    """The hidden file that becomes the one at `path` once it is whole."""
    return path.with_name(f".{path.name}.part")


def is_empty(path: Path) -> bool:
    """Whether it is a file that holds nothing, such as mktemp makes."""
    return path.is_file() and path.stat().st_size == 0


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless they are there.

    Raises:
        Failure: they cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{path}: cannot be made a folder ({error.strerror})") from None


def _pixels(image: PilImage, source: str) -> Pixels:
    try:
        return _decoded(image, source)
    except Failure:
        raise
    except Exception as error:  # a decoder meets damage in many ways
        raise Failure(f"{source}: damaged ({error})") from None


def _decoded(image: PilImage, source: str) -> Pixels:
    frames = getattr(image, "n_frames", 1)
    if frames == 1 and image.format != "GIF":
        return np.asarray(image)
    if frames * image.width * image.height > MAX_PIXELS:
        raise Failure(f"{source}: {frames} images in one file are too many to be read")
    pixels = np.empty((frames, image.height, image.width, 4), np.uint8)
    for number, frame in enumerate(pixels):
        image.seek(number)
        frame[:] = image.convert("RGBA")
    return pixels[..., :3] if (pixels[..., 3] == 255).all() else pixels


def _write_png(image: PilImage, document: str) -> bytes:
    """The very bytes of Pillow's own `save`, which takes a third longer for a small image."""
    head = struct.pack(">IIBBBBB", *image.size, 8, _COLOURS[image.mode], 0, 0, 0)
    packed = image.tobytes("zip", image.mode, False, 1, -1, b"")  # level 1, with PNG's filters
    chunks = [_chunk(b"IHDR", head), _chunk(b"tEXt", f"{PNG_KEY}\0{document}".encode("ascii"))]
    chunks += [_chunk(b"IDAT", packed[at : at + _LONGEST_IDAT]) for at in range(0, len(packed), _LONGEST_IDAT)]
    return b"".join((b"\x89PNG\r\n\x1a\n", *chunks, _chunk(b"IEND", b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _write_webp(image: PilImage, document: str) -> bytes:
    # Without `exact`, what is behind a transparent pixel would be lost.
    return _saved(image, "WEBP", lossless=True, exact=True, exif=_exif(document))


def _write_jpeg(image: PilImage, document: str) -> bytes:
    """JPEG knows no transparency: it shows the image on white."""
    if image.mode in ("LA", "RGBA"):
        image = PILImage.fromarray(on_white(np.asarray(image)).squeeze())
    exif = _exif(document)
    if len(exif.tobytes()) > _LONGEST_EXIF:
        raise UsageError("what made this image is too much to be told in a JPEG; use png or webp")
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
    """An image whose pixels nobody will look at, so that their number does not matter, as it does to `open_pil_image`.

    Raises:
        Failure: unreadable, or of another format.
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
            raise Failure(f"{path}: {error.strerror or 'not an image in ' + ', '.join(_IMAGES)}") from None
        except Exception as error:  # a decoder meets damage in many ways
            raise Failure(f"{path}: damaged ({error})") from None
    raise Failure(f"{path}: not an image in {', '.join(_IMAGES)}")


def _document(image: PilImage, path: Path) -> str:
    try:
        document = _text(image)
    except Exception as error:  # a decoder meets damage in many ways
        raise Failure(f"{path}: damaged ({error})") from None
    if not isinstance(document, str):
        raise Failure(f"{path}: gan-serve did not write it, or what it says about its making was removed")
    return document


def _text(image: PilImage) -> object:
    if image.format == "PNG":
        return image.info.get(PNG_KEY)
    if image.format == "GIF":
        return image.info.get("comment", b"").decode() or None
    return image.getexif().get(_EXIF_KEY)
