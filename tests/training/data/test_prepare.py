"""Composed data sets: prepare real files of layers, and load the .npz file."""

import colorsys
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from string import Template
from zlib import crc32

import numpy as np
import pytest
import torch
from command_line import Run
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training.data import loading, prepare
from training.data.palettes import PARTS
from training.data.prepare import garments, lpc, nouns, poses

Colour = tuple[int, int, int]


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """Nouns in which every pixel's colour identifies its layer."""
    for number, folder in enumerate(nouns.FOLDERS.values()):
        (tmp_path / "art" / folder).mkdir(parents=True)
        for index in range(4):
            image = Image.new("RGBA", (32, 32))
            image.paste((number * 40, index * 60, 200, 255), (number, number, 32, 32))
            image.save(tmp_path / "art" / folder / f"layer-name-{index}.png")
    return tmp_path / "art"


# The offset of each folder's mark from the left edge of the frame.
MARKS = {
    "body": 0,
    "legs": 8,
    "feet": 16,
    "torso": 24,
    "formal_male_no_th-sh": 24,
    "facial": 32,
    "hair": 40,
    "head": 48,
}


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LPC sheets, each marked with its own colour in every frame of a walk; in the side view the mark is half black."""
    root = tmp_path_factory.mktemp("lpc")
    (root / "sheets" / "body" / "female").mkdir(parents=True)
    artwork = lpc.artwork(root)
    templates = {
        file.partition("?")[0]
        for one in (*artwork.wardrobes, *garments.artwork(root).wardrobes)
        for trait in one.values()
        for files in trait.values()
        for file in files
    }
    combinations = itertools.product(sorted(templates), ("female", "male"), lpc.HAIR_COLOURS)
    for file in {Template(file).substitute(sex=sex, colour=colour) for file, sex, colour in combinations}:
        sheet = Image.new("P", artwork.file_size)
        sheet.putpalette((255, 255, 255, *shade(file), 0, 0, 0))
        left = MARKS[file.partition("/")[0]]
        for row, column in itertools.product(poses.ROWS.values(), poses.FRAMES.values()):
            sheet.paste(1, (column * 64 + left, row * 64, column * 64 + left + 8, row * 64 + 64))
        sheet.paste(2, (left, 576 + 32, left + 8, 640))
        (root / "sheets" / file).parent.mkdir(parents=True, exist_ok=True)
        sheet.save(root / "sheets" / file, transparency=0, compress_level=1)
    return root


def shade(file: str) -> Colour:
    red, green, blue, _ = crc32(file.encode()).to_bytes(4)
    return red, green, blue


def test_the_images_show_their_traits(layers: Path, tmp_path: Path, command: Run) -> None:
    done = command("prepare", "nouns", layers, "--images", 100, "--output", tmp_path / "nouns.npz")
    assert done.code == 0, done.error
    with np.load(tmp_path / "nouns.npz") as arrays:
        images, traits, captions = arrays["train_images"], arrays["train_traits"], arrays["train_captions"]
        all_traits = np.concatenate([traits, arrays["test_traits"]])
        assert images.shape == (100, 32, 32, 3)
        assert arrays["test_images"].shape == (20, 32, 32, 3)
        assert (arrays["train_labels"] == traits[:, 3]).all()
    assert len(np.unique(all_traits, axis=0)) == 120, "no character occurs twice"
    for number in range(5):
        assert (images[:, number, number] == np.stack([[number * 40, 60 * row[number], 200] for row in traits])).all()
    assert "the head name 0" in captions[traits[:, 3] == 0][0]
    dataset = loading.load(str(tmp_path / "nouns.npz"))
    assert dataset.classes == ("name 0", "name 1", "name 2", "name 3")
    assert "CC0" in dataset.license


def test_no_test_image_is_in_the_training_set(layers: Path, tmp_path: Path) -> None:
    """Glasses that cover everything leave many different characters that look alike."""
    prepare.prepare("nouns", layers, tmp_path / "whole.npz", images=100, seed=0)
    Image.new("RGBA", (32, 32), "black").save(layers / nouns.FOLDERS["glasses"] / "layer-name-0.png")
    prepare.prepare("nouns", layers, tmp_path / "nouns.npz", images=100, seed=0)
    with np.load(tmp_path / "nouns.npz") as arrays, np.load(tmp_path / "whole.npz") as whole:
        train, test = ({image.tobytes() for image in arrays[f"{part}_images"]} for part in ("train", "test"))
        assert test
        assert not train & test
        assert (arrays["train_traits"] == whole["train_traits"]).all(), "the training set does not change"
        shown = whole["test_traits"][:, 4] != 0
        for name in ("labels", "traits", "captions"):
            assert (arrays[f"test_{name}"] == whole[f"test_{name}"][shown]).all()


def test_few_nouns_have_heads_and_bodies_that_can_be_told_apart(layers: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lacks the heads aardvark, banana"):
        prepare.prepare("nouns_40", layers, tmp_path / "few.npz", images=100, seed=0)
    for head in nouns.HEADS:
        shutil.copy(layers / "3-heads" / "layer-name-0.png", layers / "3-heads" / f"head-{head.replace(' ', '-')}.png")
    for body in (nouns.ALIKE[0], "teal"):
        shutil.copy(
            layers / "1-bodies" / "layer-name-0.png", layers / "1-bodies" / f"body-{body.replace(' ', '-')}.png"
        )
    prepare.prepare("nouns_40", layers, tmp_path / "few.npz", images=100, seed=0)
    dataset = loading.load(str(tmp_path / "few.npz"))
    assert dataset.spec.traits["head"] == dataset.classes == nouns.HEADS, "not the layer's own four"
    assert dataset.spec.traits["body"] == ("teal", "name 0", "name 1", "name 2", "name 3"), "sorted by file"


def test_a_character_is_dressed_from_the_sheets_that_fit_it(sheets: Path, tmp_path: Path, command: Run) -> None:
    done = command("prepare", "lpc", sheets, "--images", 60, "--output", tmp_path / "lpc.npz")
    assert done.code == 0, done.error
    with np.load(tmp_path / "lpc.npz") as arrays:
        names = [arrays[f"{trait}_names"] for trait in arrays["trait_names"]]
        front, side, captions = arrays["train_images"], arrays["train_side_images"], arrays["train_captions"]
        traits = [
            [str(choices[index]) for choices, index in zip(names, row, strict=True)] for row in arrays["train_traits"]
        ]
    assert front.shape == side.shape == (60, 64, 64, 3)
    for number, (sex, colour, body, legs, _, torso, beard, head) in enumerate(traits):
        shown = front[number, 32, 4::8].tolist()
        assert shown[0] == list(shade(f"body/{sex}/{lpc.BODIES[body]}.png"))
        if legs.endswith("trousers"):
            assert shown[1] == list(shade(f"legs/pants/{sex}/{legs.split()[0]}_pants_{sex}.png"))
        if torso.endswith("shirt"):
            fitting = {"female": "sleeveless/female", "male": "longsleeve/male"}[sex]
            file = f"{torso.split()[0]}_{fitting.partition('/')[0]}.png"
            assert shown[3] == list(shade(f"torso/shirts/{fitting}/{file}"))
        assert (shown[4] == [255, 255, 255]) == (beard == "no beard")
        assert sex == "male" or beard == "no beard"
        style = lpc.HAIRSTYLES[head] if head in lpc.HAIRSTYLES else lpc.HATS[head][0]
        assert shown[5] == list(shade(f"hair/{sex}/{style}/{colour}.png")), "hair shows under a hat"
        assert (shown[6] == [255, 255, 255]) == (head in lpc.HAIRSTYLES)
        assert f"a {sex} {body} with {colour} {head}" in captions[number]
    assert (side[:, 32, 4] == 0).all(), "another frame of the same sheets"
    assert (front[:, :, 56:] == 255).all(), "the background is white"
    assert "CC BY-SA" in loading.load(str(tmp_path / "lpc.npz")).license


def test_each_character_has_twenty_poses_with_maps_of_its_parts(sheets: Path, tmp_path: Path, command: Run) -> None:
    done = command("prepare", "lpc_poses", sheets, "--images", 20, "--output", tmp_path / "lpc_poses.npz")
    assert done.code == 0, done.error
    with np.load(tmp_path / "lpc_poses.npz") as arrays:
        classes = arrays["classes"].tolist()
        bodies, sexes = arrays["body_names"], arrays["sex_names"]
        traits = arrays["train_traits"].reshape(20, 20, -1)
        assert (traits == traits[:, :1]).all(), "a character's rows follow one another"
        assert (arrays["train_labels"] == np.tile(np.arange(20), 20)).all()
        images, maps = (arrays[name].reshape(20, 20, 64, 64, 3) for name in ("train_images", "train_map_images"))
        seen = {image.tobytes() for image in arrays["train_images"]}
        assert len(arrays["test_images"])
        assert not seen & {image.tobytes() for image in arrays["test_images"]}
    assert classes[:2] == ["stand back", "walk back 1"]
    assert classes[8] == "walk left 3"
    for shown, (sex, _, body, *_) in zip(images[:, :, 40, 4], traits[:, 0], strict=True):
        assert (np.delete(shown, 5, axis=0) == shade(f"body/{sexes[sex]}/{lpc.BODIES[bodies[body]]}.png")).all()
        assert (shown[5] == 0).all(), "another frame of the same sheet"
    for part, mark in (("body", 4), ("legs", 12), ("feet", 20), ("torso", 28), ("hair", 44), ("background", 60)):
        assert (maps[:, :, 40, mark] == PARTS.colours[part]).all(), part
    dataset = loading.load(str(tmp_path / "lpc_poses.npz"), views=("map",))
    assert dataset.classes == tuple(classes)
    assert "CC BY-SA" in dataset.license


def test_a_garment_is_what_the_character_wears_and_is_alone_on_white(
    sheets: Path, tmp_path: Path, command: Run
) -> None:
    done = command("prepare", "lpc_garments", sheets, "--images", 60, "--output", tmp_path / "lpc_garments.npz")
    assert done.code == 0, done.error
    path = str(tmp_path / "lpc_garments.npz")
    train, test = (loading.load(path, part, views=("dressed",)) for part in ("train", "test"))
    assert len(train.classes) == 168
    for part in (train, test):
        worn, dressed = part.images[:, :, 32, 28], part.views["dressed"][:, :, 32, 28]
        assert torch.equal(worn, dressed)
        assert (part.images[:, :, :, :24] == 255).all(), "no body, legs or feet"
        assert (part.views["dressed"][:, :, 32, 4] != 255).any(dim=1).all()
        for colour, label in zip(worn, part.labels, strict=True):
            dye, *_, sex = part.classes[label].split()
            assert hue(tuple(colour.tolist())) == pytest.approx(garments.DYES[dye], abs=3)
            assert sex in ("(female)", "(male)")
    characters = {image.numpy().tobytes() for image in train.views["dressed"]}
    assert not any(image.numpy().tobytes() in characters for image in test.views["dressed"])
    assert train.traits
    assert list(train.traits.choices) == ["torso"], "a garment shows none of the character's other traits"
    assert "CC BY-SA" in train.license


def hue(colour: Colour) -> float:
    """Return the hue of a colour in degrees, from -3 for a red that leans to pink."""
    degrees = 360 * colorsys.rgb_to_hsv(*(value / 255 for value in colour))[0]
    return degrees - 360 if degrees > 357 else degrees


def test_a_seed_decides_the_characters(layers: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        prepare.prepare("nouns", layers, tmp_path / f"{name}.npz", images=50, seed=seed)
    one, same, other = (np.load(tmp_path / f"{name}.npz")["train_images"] for name in ("one", "same", "other"))
    assert (one == same).all()
    assert (one != other).any()


def test_too_many_characters_are_refused_in_one_line(layers: Path, tmp_path: Path, command: Run) -> None:
    too_many = command("prepare", "nouns", layers, "--images", 1000, "--output", tmp_path / "nouns.npz")
    assert (too_many.code, too_many.error) == (
        2, "error: these layers make only 1,024 characters; use a lower --images, below half of that\n",
    )  # fmt: skip
    assert not (tmp_path / "nouns.npz").exists()


@pytest.mark.parametrize(("data", "folder"), [("nouns", "0-backgrounds"), ("lpc", "body/female")])
def test_a_folder_without_the_artwork_is_refused(data: str, folder: str, tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match=f"contains no folder {folder}; give the folder"):
            prepare.prepare(data, source, tmp_path / "data.npz", images=20, seed=0)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda path: path.unlink(), "is not a readable image .No such file or directory.$"),
        (lambda path: path.write_bytes(b"no image"), "is not a readable image"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "is not a readable image"),
        (
            lambda path: Image.new("RGBA", (30, 32)).save(path),
            "is not a layer of this artwork: it has 30x32, not 832x1344",
        ),
    ],
)
def test_a_sheet_that_cannot_be_used_is_named(
    sheets: Path, tmp_path: Path, damage: Callable[[Path], None], complaint: str
) -> None:
    shutil.copytree(sheets / "sheets", tmp_path / "sheets")
    damage(tmp_path / "sheets" / "body" / "female" / "light.png")
    with pytest.raises(Failure, match=f"body/female/light.png {complaint}") as caught:
        prepare.prepare("lpc", tmp_path, tmp_path / "data.npz", images=100, seed=0)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data.npz").exists()


def test_data_that_must_be_prepared_first_is_refused_with_the_command(
    layers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_SERVE_DATA", str(layers.parent))
    layers.rename(layers.parent / "nouns")
    with pytest.raises(Failure, match="prepare nouns FOLDER"):
        loading.load("nouns")
