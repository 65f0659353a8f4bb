"""HEIC images from phones. Pillow reads them with pillow-heif, an optional dependency."""

from pathlib import Path
from typing import IO

from gan_serve.errors import Failure

HEIC = "HEIF"  # Pillow's name of the format
_INSTALL = 'pip install "gan-serve[heic]"'
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")  # AVIF files may start with a general brand, and list these later


def is_heic(file: Path | IO[bytes]) -> bool:
    """Return whether a file starts like a HEIC image; False if it cannot be read."""
    try:
        head = _head(file)
    except OSError:
        return False
    length = int.from_bytes(head[:4])
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS and not any(each in head[16:length] for each in _AVIF)


def register_heic(source: str) -> None:
    """Let Pillow open HEIC images. Error messages call the image `source`.

    Raises:
        Failure: The decoder is not installed.
    """
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise Failure(f"{source}: reading HEIC images needs an extra; install it with: {_INSTALL}") from None
    register_heif_opener()


def _head(file: Path | IO[bytes]) -> bytes:
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return opened.read(64)
    head = file.read(64)
    file.seek(-len(head), 1)
    return head
