"""Models with several kinds of output: images and numbers, and images of several sizes."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from small_models import GREY, LATENT, PAIR, metadata_of

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.images.encoding import encode_image, read_document
from gan_serve.outputs.panels import panels_of
from gan_serve.result import Result
from gan_serve.tensors import Image

NOISE = np.random.RandomState(0).randint(256, size=(3, 8, 8), dtype=np.uint8)
INVERSE = 255 - NOISE
HEAT = ((NOISE.reshape(3, 2, 4, 2, 4).max(axis=(2, 4)) / 127.5 - 1).clip(0, 1) * 255).round().astype(np.uint8)


@pytest.fixture(scope="module")
def inspector(models: Path) -> Generator:
    return gan_serve.load("inspector", models=models)


@pytest.fixture(scope="module")
def result(inspector: Generator) -> Result:
    return inspector.generate(image=list(NOISE), descent=2)


@pytest.fixture
def scans(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "scans" / f"{number}.png" for number in range(3)]
    paths[0].parent.mkdir()
    for path, pixels in zip(paths, NOISE, strict=True):
        PILImage.fromarray(pixels).save(path)
    return paths


def pixels_of(content: bytes | Path) -> np.ndarray:
    return np.asarray(PILImage.open(io.BytesIO(content) if isinstance(content, bytes) else content))


def test_images_are_the_first_and_others_have_a_name(result: Result) -> None:
    np.testing.assert_array_equal([np.asarray(image) for image in result.images()], INVERSE)
    np.testing.assert_array_equal([np.asarray(image) for image in result.images(output="heat")], HEAT)
    assert result.grid(columns=3, output="heat").size == (6, 2)
    assert result.array.shape == (3, 1, 8, 8)
    np.testing.assert_array_equal(pixels_of(result.encode("png", columns=3, output="heat")), np.hstack([*HEAT]))
    with pytest.raises(UsageError, match=r"inspector has no image 'heap' \(did you mean heat\?\); it makes reconstr"):
        result.images(output="heap")


def test_one_of_the_images_side_by_side_can_be_had_alone(models: Path) -> None:
    result = gan_serve.load("pair", models=models).generate(seed=1)
    both, alone = (np.asarray(result.images(output=name)[0]) for name in (None, "negative"))
    np.testing.assert_array_equal(both[:, 8:], alone)


def test_numbers_are_answers_and_summaries(result: Result) -> None:
    scores = [round(float(image.max() / 127.5 + 1), 6) for image in NOISE]
    assert [answer["score"] for answer in result.answers()] == pytest.approx(scores, abs=1e-5)
    assert [line.rpartition(": ")[2] for line in result.summaries()] == [f"score {score:.4g}" for score in scores]


def test_images_of_one_size_and_range_stay_side_by_side() -> None:
    third = Image(name="third", channels=1, height=4, width=4)
    model = metadata_of("three", (LATENT,), *PAIR.outputs, third)
    assert [[output.name for output in panel.outputs] for panel in panels_of(model)] == [
        ["image", "negative"],
        ["third"],
    ]
    for other in (replace(GREY, low=0), replace(GREY, height=4), Image(name="x", channels=3, height=8, width=8)):
        model = metadata_of("two", (LATENT,), GREY, replace(other, name="other"))
        assert [panel.name for panel in panels_of(model)] == [None, "other"]


def test_every_output_is_saved(result: Result, tmp_path: Path) -> None:
    stems = [line.rpartition(": ")[0] for line in result.summaries()]
    each = result.save(tmp_path / "all/", format="webp")
    assert [path.name for path in each] == [name for stem in stems for name in (f"{stem}.webp", f"{stem}-heat.webp")]
    grid = result.save(tmp_path / "grid.png", grid=True)
    assert [path.name for path in grid] == ["grid.png", "grid-heat.png"]
    np.testing.assert_array_equal(pixels_of(grid[1]), np.hstack([*HEAT]))
    assert [path.name for path in result.save(tmp_path / "all.npy")] == ["all.npy", "all-heat.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "all-heat.npy"), result.outputs["heat"])
    assert [path.name for path in result.save(tmp_path / "all.gif")] == ["all.gif", "all-heat.gif"]
    (lines,) = result.save(tmp_path / "all.jsonl")
    assert [json.loads(line) for line in lines.read_text().splitlines()] == result.answers()
    with pytest.raises(UsageError, match="json holds numbers, and a grid is an image"):
        result.save(tmp_path / "grid.json", grid=True)


def test_the_command_line_writes_images_and_tells_numbers(run: Run, scans: list[Path]) -> None:
    one = run("generate", "--model", "inspector", "--image", scans[0], "--output", "one.png")
    assert (one.code, one.out) == (0, "one.png\none-heat.png\n")
    assert one.error.endswith(f": score {NOISE[0].max() / 127.5 + 9:.4g}\n")
    np.testing.assert_array_equal(pixels_of(Path("one-heat.png")), HEAT[0])
    arguments = ("generate", "--model", "inspector", *(part for scan in scans for part in ("--image", scan)))
    folder = run(*arguments, "--output", "all/")
    assert (folder.code, folder.error.count(": score ")) == (0, 3)
    assert len([*Path("all").iterdir()]) == 6
    again = run(*arguments, "--output", "all/")
    assert again.error == "nothing to do: 3 of 3 done\n"
    numbers = run(*arguments, "--format", "jsonl")
    assert [json.loads(line)["score"] for line in numbers.out.splitlines()] == pytest.approx(
        [image.max() / 127.5 + 9 for image in NOISE]
    )
    assert run(*arguments, "--output", "x.jsonl").out == "x.jsonl\n"


@pytest.mark.parametrize("name", ["one.png", "grid.webp", "all.npy", "all.gif", "folder/"])
def test_every_file_can_be_made_again(run: Run, scans: list[Path], name: str) -> None:
    images = [part for scan in (scans if name != "one.png" else scans[:1]) for part in ("--image", scan)]
    grid = ["--grid"] if name.startswith("grid") else []
    assert run("generate", "--model", "inspector", *images, "--output", name, *grid).code == 0
    files = [path for path in [*Path().iterdir(), *Path("folder").glob("*")] if path.is_file()]
    assert len(files) == (6 if name == "folder/" else 2)
    for file in files:
        outcome = run("reproduce", file, "--inputs", scans[0].parent)
        assert (outcome.code, outcome.error) == (0, "identical\n"), file


def test_a_file_beside_is_never_overwritten(run: Run, scans: list[Path]) -> None:
    arguments = ("generate", "--model", "inspector", "--image", scans[0], "--output")
    for name in ("one.png", "one.npy"):
        beside = Path(name.replace(".", "-heat."))
        beside.write_bytes(b"mine")
        outcome = run(*arguments, name)
        assert outcome.code == 1
        assert outcome.error.startswith(f"error: {beside} exists")
        assert (beside.read_bytes(), Path(name).exists()) == (b"mine", False)


def test_stdout_carries_the_first_image(models: Path, scans: list[Path]) -> None:
    command = [sys.executable, "-m", "gan_serve", "generate", "--model", "inspector", "--models", models, "--image"]
    done = subprocess.run([*command, scans[0], "--output", "-"], capture_output=True, check=True)
    np.testing.assert_array_equal(pixels_of(done.stdout), INVERSE[0])
    assert done.stderr.count(b": score ") == 1


@pytest.mark.parametrize("extra", [["--show"], ["--scale", "2"], ["--grid"], ["--output", "x.png"]])
def test_numbers_have_no_options_of_images(run: Run, scans: list[Path], extra: list[str]) -> None:
    outcome = run("generate", "--model", "inspector", "--image", scans[0], "--format", "json", *extra)
    assert outcome.code == 2
    assert not [*Path().iterdir()]


@pytest.mark.parametrize("name", ["all.npy", "all/"])
def test_an_interrupted_job_is_finished_with_all_its_files(run: Run, name: str) -> None:
    arguments = ("generate", "--model", "apart", "--count", "70", "--seed", "5", "--output", name)
    assert run(*arguments).code == 0
    files = {path: path.read_bytes() for path in Path().glob("**/*") if path.is_file()}
    assert len(files) == (2 if name == "all.npy" else 140)
    lost = min(files, key=lambda path: "heat" not in path.name)
    lost.unlink()
    outcome = run(*arguments)
    assert (outcome.code, {path: path.read_bytes() for path in files}) == (0, files)
    assert outcome.error.splitlines()[0] == "seed 5"
    assert outcome.error.count(": brightest ") == (70 if name == "all.npy" else 1)


def test_a_changed_name_of_an_output_is_refused(run: Run, scans: list[Path]) -> None:
    run("generate", "--model", "inspector", "--image", scans[0], "--output", "one.png")
    document = json.loads(read_document(Path("one-heat.png")))
    assert document["output"] == "heat"
    assert "output" not in json.loads(read_document(Path("one.png")))
    forged = encode_image(PILImage.new("L", (2, 2)), "png", json.dumps(document | {"output": "score"}))
    Path("forged.png").write_bytes(forged)
    outcome = run("reproduce", "forged.png", "--inputs", scans[0].parent)
    assert (outcome.code, "inspector has no image 'score'" in outcome.error) == (2, True)
