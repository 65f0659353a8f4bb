"""Images in pairs and photos: prepare real files, load the .npz file, and draw batches."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_serve.errors import Failure, UsageError
from training.data import loading, prepare
from training.data.dataset import Dataset
from training.data.palettes import CAMVID

CPU = torch.device("cpu")


def save(path: Path, colour: tuple[int, ...], size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(path)


@pytest.fixture
def emoji(tmp_path: Path) -> Path:
    """Twenty-four objects in three skin colours each; object n is a square of brightness 10 n in every set."""
    names = [f"1f6{thing:02}{skin}" for thing in range(24) for skin in ("", "-1f3fb", "-1f3ff")]
    for name in names:
        shade = 10 * int(name[3:5])
        save(tmp_path / "emojitwo" / "png" / "128" / f"{name}.png", (shade, 0, 0, 255), (128, 128))
        save(tmp_path / "emojitwo" / "png_bw" / f"{name}.png", (0, 0, 0, shade), (64, 64))
        noto = f"emoji_u{name.replace('-', '_')}.png"
        save(tmp_path / "noto" / "noto-emoji-72x72-color" / noto, (0, shade, 0, 255), (72, 72))
    save(tmp_path / "emojitwo" / "png" / "128" / "1f999.png", (9, 9, 9, 255), (128, 128))  # nowhere else
    listed = {name: {"category": "people" if name < "1f612" else ""} for name in names}
    (tmp_path / "emojitwo" / "emoji.json").write_text(json.dumps(listed))
    return tmp_path


def prepared(name: str, source: Path, view: str) -> tuple[Dataset, Dataset]:
    path = source / f"{name}.npz"
    prepare.prepare(name, source, path, images=None, seed=0)
    train, test = (loading.load(str(path), split, views=(view,)) for split in ("train", "test"))  # type: ignore[arg-type]
    return train, test


@pytest.mark.parametrize(("name", "view"), [("emoji_lines", "line"), ("emoji_styles", "noto")])
def test_emoji_are_paired_and_the_skin_colours_of_one_are_in_one_part(emoji: Path, name: str, view: str) -> None:
    train, test = prepared(name, emoji, view)
    assert (len(train.images), len(test.images)) == (60, 12)
    for part in (train, test):
        seen, other = part.images[:, 0, 32, 32].int(), part.views[view][:, :, 32, 32].int()
        assert torch.equal(other[:, 1] if view == "noto" else 255 - other[:, 1], seen)
        assert part.images.shape[1:] == part.views[view].shape[1:] == (3, 64, 64)
    assert not set(train.images[:, 0, 0, 0].tolist()) & set(test.images[:, 0, 0, 0].tolist())
    assert train.classes == ("other", "people")
    assert "CC BY 4.0" in train.license


def test_an_emoji_that_looks_like_one_of_the_training_set_is_not_in_the_test_set(emoji: Path) -> None:
    """Some emoji look alike without colours, such as a full moon and a new moon."""
    train, whole = prepared("emoji_lines", emoji, "line")
    (known, *_), (first, *_) = train.images[:, 0, 0, 0].tolist(), whole.images[:, 0, 0, 0].tolist()
    for skin in ("", "-1f3fb", "-1f3ff"):
        folder = emoji / "emojitwo" / "png_bw"
        (folder / f"1f6{first // 10:02}{skin}.png").write_bytes((folder / f"1f6{known // 10:02}.png").read_bytes())
    same, fewer = prepared("emoji_lines", emoji, "line")
    assert torch.equal(same.images, train.images)
    assert fewer.images[:, 0, 0, 0].tolist() == [shade for shade in whole.images[:, 0, 0, 0].tolist() if shade != first]
    assert fewer.views["line"].shape == fewer.images.shape


def test_batches_show_pairs_or_never_pairs(emoji: Path) -> None:
    train, _ = prepared("emoji_styles", emoji, "noto")
    paired = next(train.batches(60, 0, CPU))
    assert torch.equal(paired["image"][:, 0, 0, 0], paired["noto"][:, 1, 0, 0])
    unpaired = next(train.unpaired().batches(60, 0, CPU))
    assert not torch.equal(unpaired["image"][:, 0, 0, 0], unpaired["noto"][:, 1, 0, 0])
    assert torch.equal(unpaired["image"][:, 0, 0, 0].sort()[0], unpaired["noto"][:, 1, 0, 0].sort()[0])
    second = next(train.unpaired().batches(20, 0, CPU, first_step=1))
    for _, again in zip(range(2), train.unpaired().batches(20, 0, CPU), strict=False):
        last = again
    assert torch.equal(second["noto"], last["noto"]), "a resumed training sees the same batches"


def test_street_photos_become_two_squares_with_painted_label_maps(tmp_path: Path) -> None:
    for folder in ("train", "val", "test"):
        photo = Image.new("RGB", (256, 192), "white")
        photo.paste("black", (0, 0, 64, 192))
        labels = Image.new("L", (256, 192), 3)
        labels.paste(8, (0, 0, 64, 192))
        for part, image in (("", photo), ("annot", labels)):
            (tmp_path / "CamVid" / f"{folder}{part}").mkdir(parents=True)
            image.save(tmp_path / "CamVid" / f"{folder}{part}" / f"a.{'png' if part else 'jpg'}")
    train, test = prepared("camvid", tmp_path, "map")
    assert (train.images.shape, test.images.shape) == ((4, 3, 128, 128), (2, 3, 128, 128))
    for left, road in ((0, "car"), (1, "road")):
        assert tuple(train.views["map"][left, :, 64, 8].tolist()) == CAMVID.colours[road]
        assert abs(int(train.images[left, 0, 64, 8]) - 255 * left) < 8
    assert "not for commercial use" in train.license
    (tmp_path / "CamVid" / "trainannot" / "a.png").unlink()
    with pytest.raises(Failure, match=r"a\.png is not a readable image"):
        prepared("camvid", tmp_path, "map")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number, name in enumerate(("100", "200", "302003")):
        save(tmp_path / "images" / "train" / f"{name}.jpg", (number * 100, 0, 0), (481, 321))
    save(tmp_path / "images" / "val" / "300.jpg", (0, 200, 0), (321, 481))
    save(tmp_path / "CSet5" / "woman.png", (0, 0, 200), (228, 344))
    save(tmp_path / "CSet5" / "baby.png", (0, 0, 100), (512, 512))
    return tmp_path


def test_photos_are_tiled_for_training_and_whole_for_scoring(photos: Path) -> None:
    prepare.prepare("bsds", photos, photos / "bsds.npz", images=None, seed=0)
    train, test = (loading.load(str(photos / "bsds.npz"), split) for split in ("train", "test"))  # type: ignore[arg-type]
    assert (train.images.shape, test.images.shape) == ((12, 3, 160, 160), (6, 3, 160, 160))
    assert not train.photos, "photos are for scoring only"
    assert train.images[:, 0].max() < 120, "the woman of Set5 is left out"
    assert {name: [tuple(photo.shape) for photo in each] for name, each in test.photos.items()} == {
        "set5": [(3, 512, 512), (3, 344, 228)],
        "b100": [(3, 481, 321)],
    }
    crops = next(train.crops(96).batches(4, 0, CPU))
    assert crops["image"].shape == (4, 3, 96, 96)


def test_crops_are_of_the_batch_and_move(tmp_path: Path) -> None:
    ramp = np.arange(16, dtype=np.uint8)[None, :, None] * np.ones((40, 1, 16), np.uint8) * 16
    np.savez(tmp_path / "ramp.npz", images=ramp)
    stream = loading.load(str(tmp_path / "ramp.npz")).crops(8).batches(20, 0, CPU)
    tops = {
        round(float(image[0, 0, 0]), 3) for _, batch in zip(range(2), stream, strict=False) for image in batch["image"]
    }
    assert 4 < len(tops) <= 9


def test_problems_of_paired_data_are_reported_in_one_line(emoji: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the files of emoji_lines determine its number of images; leave out --images"):
        prepare.prepare("emoji_lines", emoji, tmp_path / "few.npz", images=20, seed=0)
    with pytest.raises(UsageError, match="contains no folder png_bw"):
        prepare.prepare("emoji_lines", emoji / "noto", tmp_path / "few.npz", images=None, seed=0)
    prepared("emoji_lines", emoji, "line")
    with pytest.raises(Failure, match=r"needs pairs: an \.npz file in which `train_side_images`"):
        loading.load(str(emoji / "emoji_lines.npz"), views=("side",))
    (emoji / "emojitwo" / "emoji.json").write_text("{")
    with pytest.raises(Failure, match=r"emoji.json is not EmojiTwo's list of emoji"):
        prepare.prepare("emoji_lines", emoji, tmp_path / "few.npz", images=None, seed=0)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Faces whose brightness says who is shown, and whose second row says how."""
    directions, expressions = ("left", "right", "forward", "up"), ("neutral", "happy", "sad", "angry")
    names, images = [], []
    for person, shade in (("ann", 40), ("ben", 80), ("cat", 120)):
        for direction, (number, expression) in itertools.product(directions, enumerate(expressions)):
            for eyes in ("open", "sunglasses"):
                names.append(f"{person}_{direction}_{expression}_{eyes}")
                images.append(np.full((60, 64), shade + directions.index(direction), np.uint8))
                images[-1][1] = 2 * number + (eyes == "open")
    missing = names.index("ann_forward_sad_open")
    arrays = {"images": np.delete(images, missing, axis=0), "labels": np.delete(names, missing)}
    np.savez(tmp_path / "cmu_faces_60x64.npz", **arrays)
    return tmp_path


def test_a_face_from_the_side_is_paired_with_the_same_expression_from_the_front(faces: Path) -> None:
    train, test = prepared("cmu_faces", faces, "side")
    assert len(train.images) + len(test.images) == 3 * 2 * 8 - 2
    assert train.classes == ("ann", "ben", "cat")
    for part in (train, test):
        front, side = part.images[:, 0], part.views["side"][:, 0]
        assert front.shape[1:] == (64, 64)
        assert torch.equal(front[:, 3], side[:, 3]), "expression and glasses"
        assert torch.equal(front[:, 9, 9] - 2, 40 + 40 * part.labels.byte())
        assert set((front[:, 9, 9] - side[:, 9, 9]).tolist()) == {1, 2}, "from the left and from the right"
    for person in range(3):
        seen, new = (set((part.images[part.labels == person, 0, 3, 0] // 2).tolist()) for part in (train, test))
        assert (len(seen), len(new), seen & new) == (3, 1, set()), "one expression of each person is held out"


def test_other_faces_are_refused(faces: Path, tmp_path: Path) -> None:
    np.savez(faces / "cmu_faces_60x64.npz", images=np.zeros((2, 70, 64), np.uint8), labels=np.array(["a", "b"]))
    with pytest.raises(Failure, match="does not hold CMU's face images"):
        prepared("cmu_faces", faces, "side")
    (faces / "cmu_faces_60x64.npz").unlink()
    with pytest.raises(UsageError, match=r"contains no cmu_faces_60x64.npz; give the folder with this file"):
        prepared("cmu_faces", faces, "side")
