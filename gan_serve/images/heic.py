"""HEIC images, as phones take them; Pillow reads them with the help of another library, which is an extra."""

from pathlib import Path
from typing import IO

from gan_serve.errors import Failure

HEIC = "HEIF"  # the format, as Pillow calls it
_INSTALL = 'pip install "gan-serve[heic]"'
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")  # which may be among the other brands of a file that begins with a general one


def is_heic(file: Path | IO[bytes]) -> bool:
    """Whether a file begins as HEIC images do; one that cannot be read does not."""
    try:
        head = _head(file)
    except OSError:
        return False
    length = int.from_bytes(head[:4])
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS and not any(each in head[16:length] for each in _AVIF)


def register_heic(source: str) -> None:
    """Let Pillow open HEIC images; `source` is what messages call the image.

    Raises:
        Failure: what decodes them is not installed.
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
