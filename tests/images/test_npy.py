"""NPY files that end with a document: NumPy reads the array, gan-serve the document."""

from pathlib import Path

import numpy as np
import pytest

from gan_serve.errors import Failure
from gan_serve.images.npy import encode_npy, is_npy, read_npy, read_npy_document

ARRAY = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
DOCUMENT = '{"é": 1}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.npy"
    path.write_bytes(encode_npy(ARRAY, DOCUMENT))
    return path


def test_numpy_reads_the_array_and_gan_serve_both(path: Path) -> None:
    np.testing.assert_array_equal(np.load(path), ARRAY)
    document, array = read_npy(path)
    assert (document, array.dtype) == (DOCUMENT, np.float32)
    np.testing.assert_array_equal(array, ARRAY)
    assert isinstance(array, np.memmap), "it stays on the disk"
    assert read_npy_document(path) == DOCUMENT


def test_numbers_of_another_type_and_order_become_little_float32(tmp_path: Path) -> None:
    for array in (ARRAY.astype(np.float64), ARRAY.astype(">f4"), np.asfortranarray(ARRAY), ARRAY.transpose(2, 1, 0)):
        (tmp_path / "b.npy").write_bytes(encode_npy(array, DOCUMENT))
        loaded = np.load(tmp_path / "b.npy")
        assert loaded.dtype == np.dtype("<f4")
        np.testing.assert_array_equal(loaded, array)


def test_npy_is_recognized_by_its_suffix_or_its_first_bytes(path: Path, tmp_path: Path) -> None:
    assert is_npy(path.rename(tmp_path / "nameless"))
    assert is_npy(Path("absent.NPY"))
    (tmp_path / "short").write_bytes(b"\x93NUMP")
    assert not is_npy(tmp_path / "short")
    with pytest.raises(Failure, match=r"absent: No such file or directory$"):
        is_npy(tmp_path / "absent")


@pytest.mark.parametrize("length", [0, 5, 20, 100, 128, 200, -len(DOCUMENT.encode())])
def test_a_truncated_npy_file_is_rejected(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(Failure, match=r"a\.npy: (not an NPY file|truncated)"):
        read_npy(path)


@pytest.mark.parametrize(("array", "message"), [(ARRAY.astype(int), "int64"), (np.asfortranarray(ARRAY), "float32")])
def test_a_foreign_npy_file_is_rejected(path: Path, array: np.ndarray, message: str) -> None:
    np.save(path, array)
    with pytest.raises(Failure, match=rf"gan-serve did not write it \(it holds {message}\)$"):
        read_npy_document(path)


def test_the_bytes_after_an_array_need_not_be_text(path: Path) -> None:
    path.write_bytes(encode_npy(ARRAY, "") + b"\xff{")
    assert read_npy_document(path) == "\ufffd{"


def test_an_npy_file_without_a_document_is_rejected(path: Path) -> None:
    np.save(path, ARRAY)
    with pytest.raises(Failure, match=r"truncated, or gan-serve did not write it$"):
        read_npy_document(path)
