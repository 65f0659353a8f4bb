"""File names that are not UTF-8, and ASCII locales."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage
from small_models import PLAIN, save_model

from gan_serve.image_inputs import open_image
from gan_serve.images.encoding import read_document
from gan_serve.system.text import printable

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
LOCALES = pytest.mark.parametrize("locale", [{"LC_ALL": "C.UTF-8"}, ASCII], ids=["UTF-8", "ASCII"])
NAMES = [b"latin1-\xe9", b"latin1-\xe8", "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()]


def call(
    folder: Path, locale: dict[str, str], *arguments: bytes | str, program: str = "gan_serve"
) -> tuple[bytes, bytes]:
    """What a command that works writes to stdout and stderr."""
    command = [sys.executable, "-m", "gan_serve", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **locale}
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three copies of an image, whose names differ in what no text has."""
    PILImage.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / "x.png")
    (tmp_path / "in").mkdir()
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/" + name + b".png")).write_bytes(
            (tmp_path / "x.png").read_bytes()
        )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (os.fsdecode(b"latin1-\xe9"), "latin1-%E9"),
        ("\udcc3\udca9", "\N{LATIN SMALL LETTER E WITH ACUTE}"),  # as an ASCII locale has it
        ("\ud800x", "\N{REPLACEMENT CHARACTER}x"),
        ("100%.png", "100%.png"),
    ],
)
def test_a_name_is_text_that_every_reader_takes(name: str, expected: str) -> None:
    assert printable(name) == expected
    expected.encode()


@LOCALES
def test_numeric_outputs_are_strict_json(folder: Path, models: Path, locale: dict[str, str]) -> None:
    out, error = call(folder, locale, "generate", "--model", "classifier", "--image", "in", "--models", str(models))
    answers = [json.loads(line) for line in out.splitlines()]
    files = [answer["image"].encode("utf-8", "strict") for answer in answers]
    assert sorted(files) == sorted([b"latin1-%E9.png", b"latin1-%E8.png", NAMES[2] + b".png"])
    assert error == b""


@LOCALES
def test_the_printed_path_exists_and_its_image_can_be_reproduced(
    folder: Path, models: Path, locale: dict[str, str]
) -> None:
    given, output = b"in/" + NAMES[0] + b".png", b"made-" + NAMES[1] + b".png"
    out, error = call(folder, locale, "translate", "enlarger", given, "--output", output, "--models", str(models))
    assert (out, error) == (output + b"\n", b"")
    made = folder / os.fsdecode(out.rstrip(b"\n"))
    json.loads(read_document(made))["inputs"][0]["image"]["file"].encode("utf-8", "strict")
    assert call(folder, locale, "reproduce", output, "--inputs", "in", "--models", str(models))[1] == b"identical\n"


@LOCALES
def test_each_of_the_copies_is_made(folder: Path, models: Path, locale: dict[str, str]) -> None:
    out, _ = call(folder, locale, "translate", "enlarger", "in", "--output", b"out-\xe9", "--models", str(models))
    assert out == b"out-\xe9\n"
    assert len(list((folder / os.fsdecode(b"out-\xe9")).iterdir())) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["info", "plain"],
        ["generate", "--help"],
        ["generate", "--model", "plain", "--show", "--output", "y.png"],
    ],
)
def test_an_ascii_locale_replaces_other_characters(folder: Path, arguments: list[str]) -> None:
    expected = "Draws \N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN}."
    save_model(folder / "models", replace(PLAIN, description=expected))
    environment = {**ASCII, "GAN_SERVE_MODELS": str(folder / "models")}
    out, error = call(folder, environment, *arguments)
    assert (out + error).isascii() or arguments[0] in ("list", "info")
    assert b"Draws" in out or arguments[0] == "generate"


def test_streams_take_any_text() -> None:
    script = "from gan_serve.system.text import open_streams; open_streams(); print('e\\u00e9\\u2603\\udce9')"
    for locale, expected in ((ASCII, b"e??\xe9\n"), ({"LC_ALL": "C.UTF-8"}, "e\u00e9\u2603".encode() + b"\xe9\n")):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, env={**os.environ, **locale}
        )
        assert (done.stdout, done.stderr) == (expected, b"")


def test_a_source_says_its_name_as_text(folder: Path) -> None:
    path = folder / "in" / os.fsdecode(NAMES[0] + b".png")
    source = open_image(path)
    assert (source.file, source.path) == ("latin1-%E9.png", path)
