"""Models with image inputs and models with numeric outputs, from Python."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage
from small_models import DIGITS

import gan_serve
from gan_serve import Failure, UsageError
from gan_serve.generator import Generator
from gan_serve.image_inputs import ImageRef, open_image
from gan_serve.images.encoding import read_document, read_generated
from gan_serve.provenance import parse_provenance

MANY = np.random.RandomState(0).randint(256, size=(150, 8, 8), dtype=np.uint8)
COLOURS = np.random.RandomState(1).randint(256, size=(3, 8, 6, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier(models: Path) -> Generator:
    return gan_serve.load("classifier", models=models)


@pytest.fixture(scope="module")
def inverter(models: Path) -> Generator:
    return gan_serve.load("inverter", models=models)


@pytest.fixture(scope="module")
def noisy(models: Path) -> Generator:
    return gan_serve.load("noisy", models=models)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three images of 8x6 pixels in colour."""
    paths = [tmp_path / "in" / f"{number}.png" for number in range(3)]
    paths[0].parent.mkdir()
    for path, pixels in zip(paths, COLOURS, strict=True):
        PILImage.fromarray(pixels).save(path)
    return paths


def test_numeric_outputs_are_plain_values_by_name(classifier: Generator, tmp_path: Path) -> None:
    PILImage.fromarray(MANY[0]).save(tmp_path / "noise.png")
    result = classifier.generate(image=tmp_path / "noise.png")
    (answer,) = result.answers()
    assert json.loads(json.dumps(answer)) == answer
    assert list(answer) == ["image", "classes", "classes_top", "brightest"]
    assert answer["image"] == "noise.png"
    assert answer["brightest"] == round(MANY[0].max() / 127.5 - 1, 6)
    classes = answer["classes"]
    assert isinstance(classes, dict)
    assert list(classes) == list(DIGITS)
    assert sum(classes.values()) == pytest.approx(1, abs=1e-5)
    assert answer["classes_top"] == max(classes, key=lambda name: classes[name])
    np.testing.assert_allclose(list(classes.values()), result.outputs["classes"][0], atol=5e-7)


def test_numeric_outputs_are_the_same_alone_in_a_batch_and_from_any_kind_of_image(
    classifier: Generator, tmp_path: Path
) -> None:
    many = classifier.generate(image=list(MANY))
    assert len(many) == len(MANY)
    for place in (0, 63, 64, 149):
        PILImage.fromarray(MANY[place]).save(tmp_path / "one.png")
        for value in (tmp_path / "one.png", str(tmp_path / "one.png"), MANY[place], PILImage.fromarray(MANY[place])):
            alone = classifier.generate(image=value)
            np.testing.assert_array_equal(alone.outputs["classes"][0], many.outputs["classes"][place])


def test_a_list_with_one_image_of_each_makes_nearly_a_square(inverter: Generator, files: list[Path]) -> None:
    result = inverter.generate(image=files)
    np.testing.assert_array_equal([np.asarray(picture) for picture in result.images()], 255 - COLOURS)
    assert result.grid().size == (3 * 6, 8)


def test_an_output_image_can_be_the_input_of_another_model(models: Path, inverter: Generator) -> None:
    made = gan_serve.load("plain", models=models).generate(4, seed=1)
    made = made.array.clip(0, 1)
    np.testing.assert_array_equal(inverter.generate(image=made).array, np.float32(1) - made)


def test_seed_and_index_mean_the_same_beside_an_image(noisy: Generator, files: list[Path]) -> None:
    rows = noisy.generate(3, image=files, seed=5)
    assert [(item.inputs["image"].file, item.index) for item in rows.items[2:5]] == [  # type: ignore[union-attr]
        ("0.png", 2),
        ("1.png", 0),
        ("1.png", 1),
    ]
    np.testing.assert_array_equal(noisy.generate(image=files[1], seed=5, index=2).array[0], rows.array[5])
    assert not np.array_equal(rows.array[3], rows.array[4])
    assert noisy.generate(image=files[0]).seed != noisy.generate(image=files[0]).seed


def test_a_model_without_noise_needs_no_seed_and_repeats_nothing(inverter: Generator, files: list[Path]) -> None:
    assert inverter.generate(image=files[0]).seed == inverter.generate(image=files[0]).seed
    with pytest.raises(UsageError, match="inverter is deterministic: a count of 2 would repeat"):
        inverter.generate(2, image=files[0])


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (None, UsageError, "classifier needs image: an image of any size"),
        ([], UsageError, "image is an empty list"),
        ("absent.png", UsageError, "does not exist"),
        (np.full((1, 8, 8), np.nan), UsageError, "the model takes -1 to 1"),
        (np.zeros((3, 8, 8)), UsageError, "give uint8"),
        (__file__, Failure, r"test_models_of_images\.py: not an image"),
        ([MANY[0], __file__], Failure, r"test_models_of_images\.py: not an image"),
    ],
)
def test_an_invalid_image_is_rejected(classifier: Generator, value: object, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message) as error:
        classifier.generate(image=value)
    assert "\n" not in str(error.value)


def test_images_of_a_model_that_makes_none_are_refused(classifier: Generator, tmp_path: Path) -> None:
    result = classifier.generate(image=list(MANY[:2]))
    for ask in (lambda: result.array, result.images, result.grid):
        with pytest.raises(UsageError, match=r"classifier makes no images; its probabilities and score are"):
            ask()
    with pytest.raises(UsageError, match="numbers cannot be written as 'png'; use json, jsonl"):
        result.save(tmp_path / "x.png", format="png")
    with pytest.raises(UsageError, match=r"2 images do not fit into .*json; give a folder, or a \.jsonl file"):
        result.save(tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def test_numbers_are_saved_as_json(classifier: Generator, tmp_path: Path) -> None:
    result = classifier.generate(image=list(MANY[:2]))
    (lines,) = result.save(tmp_path / "x.jsonl")
    assert [json.loads(line) for line in lines.read_text().splitlines()] == result.answers()
    (one,) = classifier.generate(image=MANY[1]).save(tmp_path / "x.json")
    assert json.loads(one.read_text()) == result.answers()[1]
    each = result.save(tmp_path / "each/", format="json")
    assert [json.loads(path.read_text()) for path in each] == result.answers()


@pytest.mark.parametrize("format", ["png", "webp", "jpeg", "npy"])
def test_an_output_records_its_input_image(noisy: Generator, files: list[Path], tmp_path: Path, format: str) -> None:
    (path,) = noisy.generate(image=files[0], seed=3).save(tmp_path / f"made.{format}")
    provenance = parse_provenance(read_document(path), str(path))
    assert provenance.inputs == ({"image": ImageRef("0.png", open_image(files[0]).sha256)},)
    assert str(tmp_path) not in read_document(path), "nobody else's business"


def test_images_of_the_same_name_make_files_of_different_names(inverter: Generator, files: list[Path]) -> None:
    for folder, pixels in zip(("a", "b"), COLOURS, strict=False):
        (files[0].parent / folder).mkdir()
        PILImage.fromarray(pixels).save(files[0].parent / folder / "same name.png")
    paths = inverter.generate(image=str(files[0].parent / "[ab]" / "*.png")).save(files[0].parent / "out")
    assert all(path.name.startswith("inverter-same_name-") for path in paths)
    for path, pixels in zip(paths, COLOURS, strict=False):
        np.testing.assert_array_equal(read_generated(path)[1], 255 - pixels)


def test_provenance_that_is_too_long_for_a_jpeg_is_rejected(inverter: Generator, tmp_path: Path) -> None:
    many = inverter.generate(image=np.repeat(COLOURS, 300, axis=0))
    with pytest.raises(UsageError, match="provenance of this image is too long for a JPEG; use png or webp"):
        many.save(tmp_path / "grid.jpg", grid=True)
    (path,) = many.save(tmp_path / "grid.png", grid=True)
    assert len(parse_provenance(read_document(path), str(path)).inputs) == 900


def test_a_request_from_a_file_needs_its_image_found(noisy: Generator, files: list[Path], tmp_path: Path) -> None:
    (path,) = noisy.generate(image=files[0]).save(tmp_path / "made.png")
    with pytest.raises(Failure, match=r"0\.png: only the image's name is known"):
        noisy.run(parse_provenance(read_document(path), str(path)).request)


def test_levels_in_and_out_are_each_others_inverse(inverter: Generator) -> None:
    made = inverter.generate(image=COLOURS)
    np.testing.assert_array_equal(inverter.metadata.image_outputs[0].to_pixels(made.array), 255 - COLOURS)
