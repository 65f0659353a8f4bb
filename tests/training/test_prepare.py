"""Composed data sets: real files of layers in, one .npz file out, which can be trained on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import datasets, prepare


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """Artwork in which every pixel's colour tells which layer it is from."""
    for number, folder in enumerate(prepare.NOUNS.values()):
        (tmp_path / "art" / folder).mkdir(parents=True)
        for index in range(4):
            picture = Image.new("RGBA", (32, 32))
            picture.paste((number * 40, index * 60, 200, 255), (number, number, 32, 32))
            picture.save(tmp_path / "art" / folder / f"layer-name-{index}.png")
    return tmp_path / "art"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", "prepare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_pictures_show_the_traits_that_stand_beside_them(layers: Path, tmp_path: Path) -> None:
    done = run("nouns", layers, "--images", 100, "--output", tmp_path / "nouns.npz")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "nouns.npz") as arrays:
        images, traits, captions = arrays["train_images"], arrays["train_traits"], arrays["train_captions"]
        everyone = np.concatenate([traits, arrays["test_traits"]])
        assert images.shape == (100, 32, 32, 3)
        assert arrays["test_images"].shape == (20, 32, 32, 3)
        assert (arrays["train_labels"] == traits[:, 3]).all()
    assert len(np.unique(everyone, axis=0)) == 120, "no character is in both sets, and none is there twice"
    for number in range(5):
        assert (images[:, number, number] == np.stack([[number * 40, 60 * row[number], 200] for row in traits])).all()
    assert "the head name 0" in captions[traits[:, 3] == 0][0]
    dataset = datasets.load(str(tmp_path / "nouns.npz"))
    assert dataset.classes == ("name 0", "name 1", "name 2", "name 3")
    assert "CC0" in dataset.license


def test_a_seed_decides_the_characters(layers: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        prepare.nouns(layers, tmp_path / f"{name}.npz", images=50, seed=seed)
    one, same, other = (np.load(tmp_path / f"{name}.npz")["train_images"] for name in ("one", "same", "other"))
    assert (one == same).all()
    assert (one != other).any()


def test_what_cannot_be_composed_is_one_line(layers: Path, tmp_path: Path) -> None:
    target = tmp_path / "nouns.npz"
    too_many = run("nouns", layers, "--images", 1000, "--output", target)
    assert (too_many.returncode, too_many.stderr) == (
        2, "error: these layers make 1,024 characters; ask for fewer than half of them\n",
    )  # fmt: skip
    elsewhere = run("nouns", tmp_path / "nowhere", "--output", target)
    assert elsewhere.returncode == 2
    assert "holds no folder 0-backgrounds" in elsewhere.stderr
    broken = layers / "1-bodies" / "body-broken.png"
    broken.write_bytes(b"no picture")
    failed = run("nouns", layers, "--images", 20, "--output", target)
    assert failed.returncode == 1
    assert "body-broken.png is not a readable picture" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert not target.exists()


def test_data_that_must_be_composed_first_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAN_SERVE_DATA", raising=False)
    with pytest.raises(Exception, match="prepare nouns FOLDER"):
        datasets.load("nouns")
