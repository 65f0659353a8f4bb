"""Image files of paths, folders and globs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_serve.errors import UsageError
from gan_serve.images.files import image_files, is_file

NAME = st.text("ab[]*?. ", min_size=1, max_size=6).map(lambda stem: f"x{stem}.png")


@given(names=st.sets(NAME, min_size=1, max_size=4))
def test_every_file_is_found_by_its_own_name_and_in_its_folder(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("images")
    for name in names:
        (folder / name).touch()
        assert image_files("image", str(folder / name)).files == [folder / name]
    assert image_files("image", str(folder)) == (sorted(folder / name for name in names), None)
    assert image_files("image", f"{folder}/*").files == sorted(folder / name for name in names)


def test_a_folder_leaves_out_other_files_and_says_so(tmp_path: Path) -> None:
    for name in ("a.PNG", ".hidden.png", "b.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.png").mkdir()
    found = image_files("image", str(tmp_path))
    assert found.files == [tmp_path / "a.PNG"]
    assert found.left_out == f"{tmp_path}: left out 2: b.txt (no image suffix), c.png (a folder)"


def test_a_broken_link_is_found_so_that_reading_it_reports_the_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("nowhere")
    assert image_files("image", str(tmp_path / "a.png")).files == [tmp_path / "a.png"]
    assert image_files("image", str(tmp_path)).files == [tmp_path / "a.png"]
    assert not is_file(tmp_path / "a.png")


@pytest.mark.parametrize("text", ["", "gone.png", "gone/*", "."])
def test_no_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^image .*; give a file, a folder of images, or a glob in quotes$"):
        image_files("image", text)
