"""HEIC files by their first bytes. tests/images/test_color_profiles.py decodes one."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_serve.images.heic import is_heic

BRAND = st.sampled_from([b"heic", b"mif1", b"msf1", b"avif", b"isom"])


@given(major=BRAND, others=st.lists(BRAND, max_size=4), rest=st.binary(max_size=80))
def test_a_file_is_heic_by_its_brands(major: bytes, others: list[bytes], rest: bytes) -> None:
    brands = b"".join(others)
    content = (16 + len(brands)).to_bytes(4) + b"ftyp" + major + b"\0\0\0\0" + brands + rest
    file = io.BytesIO(content)
    assert is_heic(file) == (major in (b"heic", b"mif1", b"msf1") and b"avif" not in others)
    assert file.read() == content, "the position is unchanged"


@pytest.mark.parametrize("content", [b"", b"ftypheic", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_other_files_are_not_heic(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert not is_heic(tmp_path / "file")
    assert not is_heic(tmp_path / "gone")
