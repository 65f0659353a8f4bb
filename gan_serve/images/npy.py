"""NPY files with a document after the array, which NumPy and its memory maps ignore."""

import io
import math
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gan_serve.errors import Failure

_MAX_LENGTH = 2**26  # of the document, in bytes


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of a file that holds a float32 array."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def npy_rows(array: NDArray[Any]) -> bytes:
    """Return the bytes of the numbers."""
    return array.astype("<f4", copy=False).tobytes()


def encode_npy(array: NDArray[Any], document: str) -> bytes:
    """Return the bytes of a whole file."""
    return npy_header(array.shape) + npy_rows(array) + document.encode()


def is_npy(path: Path) -> bool:
    """Return whether a file is NPY, by its suffix or its content.

    Raises:
        Failure: It cannot be read.
    """
    if path.suffix.lower() == ".npy":
        return True
    with _open(path) as file:
        return file.read(6) == b"\x93NUMPY"


def read_npy_document(path: Path) -> str:
    """Return the document, without reading the array.

    Raises:
        Failure: The file cannot be read, or gan-serve did not write it.
    """
    with _open(path) as file:
        shape = _read_shape(file, path)
        file.seek(4 * math.prod(shape), io.SEEK_CUR)
        return _read_document(file, path)


def read_npy(path: Path) -> tuple[str, NDArray[np.float32]]:
    """Return the document, and the array as a memory map.

    Raises:
        Failure: The file cannot be read, or gan-serve did not write it.
    """
    document = read_npy_document(path)
    return document, np.load(path, mmap_mode="r", allow_pickle=False)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


def _read_shape(file: IO[bytes], path: Path) -> tuple[int, ...]:
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("another version of the format")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # NumPy raises many errors on damaged files
        raise Failure(f"{path}: not an NPY file ({error})") from None
    if dtype != np.float32 or fortran_order:
        raise Failure(f"{path}: gan-serve did not write it (it holds {dtype})")
    return shape


def _read_document(file: IO[bytes], path: Path) -> str:
    trailer = file.read(_MAX_LENGTH + 1)
    if not trailer or len(trailer) > _MAX_LENGTH:
        raise Failure(f"{path}: truncated, or gan-serve did not write it")
    return trailer.decode(errors="replace")
