"""SIGINT and SIGTERM, and files that are not finished. tests/cli/test_cli.py sends signals to real processes."""

import os
import signal
from pathlib import Path

import pytest

from gan_serve.system.interrupt import deferred_signals, unfinished


def test_a_file_is_removed_unless_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "part"

    def stop() -> None:
        path.touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), unfinished(path):
        stop()
    assert not path.exists()
    with unfinished(path):
        path.touch()
    assert path.exists()


def test_an_unfinished_folder_is_removed_with_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"

    def fail() -> None:
        folder.mkdir()
        (folder / "file").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"), unfinished(folder):
        fail()
    assert not folder.exists()


def test_signals_are_collected_and_their_handlers_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with deferred_signals() as received:
        assert received == []
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert received == [signal.SIGTERM, signal.SIGINT]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
