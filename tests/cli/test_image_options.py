"""Models with image inputs and models with numeric outputs, from the command line."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage

import gan_serve
from gan_serve.images.encoding import encode_image, read_document, read_generated

NOISE = np.random.RandomState(0).randint(256, size=(3, 8, 6, 3), dtype=np.uint8)


@pytest.fixture
def photos(run: Run) -> list[Path]:
    """Three images in a folder of the current one, 8x6 pixels in colour."""
    Path("in").mkdir()
    for number, pixels in enumerate(NOISE):
        PILImage.fromarray(pixels).save(f"in/{number}.png")
    return sorted(Path("in").iterdir())


def answers(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def made() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file() and path.parts[0] != "in")


def test_a_classifier_prints_one_json_document(run: Run, photos: list[Path], models: Path) -> None:
    outcome = run("generate", "--model", "classifier", "--image", photos[0])
    assert (outcome.code, outcome.error) == (0, "")
    classifier = gan_serve.load("classifier", models=models)
    assert answers(outcome.out) == classifier.generate(image=photos[0]).answers()
    assert answers(outcome.out)[0]["image"] == "0.png"
    assert made() == []


def test_the_home_folder_is_expanded_without_a_shell(
    run: Run, photos: list[Path], monkeypatch: pytest.MonkeyPatch, models: Path
) -> None:
    """In a glob in quotes, behind a sign of equality, and in a setting."""
    monkeypatch.setenv("HOME", str(Path.cwd()))
    Path("models").symlink_to(models)
    monkeypatch.setenv("GAN_SERVE_MODELS", "~/models")
    outcome = run("generate", "--model", "inverter", "--image", "~/in/[01].png", "--output=~/out/", "--models=~/models")
    assert (outcome.code, outcome.error) == (0, "")
    assert len(list(Path("out").iterdir())) == 2
    assert not Path("~").exists()
    assert "inverter" in run("list").out


@pytest.mark.parametrize(
    "images",
    [["in"], ["in/"], ["in/*.png"], ["in/[01].png", "in/2.png"], ["in/0.png", "in/1.png", "in/2.png"]],
)
def test_files_folders_and_globs_make_a_line_each(run: Run, photos: list[Path], images: list[str]) -> None:
    options = [part for image in images for part in ("--image", image)]
    outcome = run("generate", "--model", "classifier", *options)
    assert [answer["image"] for answer in answers(outcome.out)] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize(
    ("images", "output", "file"),
    [
        ("in/0.png", ["--output", "x.json"], "x.json"),
        ("in/0.png", ["--output", "x.jsonl"], "x.jsonl"),
        ("in", ["--output", "new/x.jsonl"], "new/x.jsonl"),
        ("in", ["--output", "answers"], "answers"),
        ("in", ["--output", "-"], None),
        ("in/0.png", ["--format", "json"], None),
    ],
)
def test_numbers_are_written_to_the_chosen_output(
    run: Run, photos: list[Path], images: str, output: list[str], file: str | None
) -> None:
    outcome = run("generate", "--model", "classifier", "--image", images, *output)
    assert outcome.code == 0, outcome.error
    assert made() == ([file] if file else [])
    if file:
        assert outcome.out == f"{file}\n"
    assert len(answers(Path(file).read_text() if file else outcome.out)) == (3 if images == "in" else 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "classifier needs image: an image of any size (made 8x8 grey), a folder of them, or a glob"),
        (["--image", "absent.png"], "image 'absent.png' does not exist"),
        (["--image", "in/*.gif"], "image 'in/*.gif' does not exist"),
        (
            ["--image", "in/0.png", "in/1.png"],
            "unexpected argument 'in/1.png'; repeat the option for each value",
        ),
        (["--image", "in", "--output", "x.json"], "3 images do not fit into x.json; give a folder, or a .jsonl file"),
        (["--image", "in", "--format", "json"], "3 images do not fit"),
        (["--image", "in", "--format", "png"], "numbers cannot be written as 'png'; use json, jsonl"),
        (["--image", "in", "--output", "x.png"], "numbers cannot be written as .png; use .json, .jsonl"),
        (["--image", "in", "--output", "x.json", "--format", "jsonl"], "leave out one"),
        (["--image", "in", "--grid"], "this model returns numbers"),
        (["--image", "in", "--show"], "classifier returns numbers; leave out --show"),
        (["--image", "in", "--scale", "2"], "leave out --scale"),
        (["--image", "in", "--count", "2"], "classifier is deterministic"),
        (["--model", "plain", "--format", "json"], "images cannot be written as 'json'; use png, webp, jpeg, npy"),
        (["--model", "plain", "--output", "x.json"], "images cannot be written as .json; use .png"),
        (["--model", "plain", "--output", "x.jsonl", "--count", "2"], "images cannot be written as .jsonl"),
        (["--model", "inverter", "--image", "in", "--output", "x.png"], "3 images do not fit into x.png; make a grid"),
    ],
)
def test_wrong_usage_prints_one_line_and_has_exit_code_2(
    run: Run, photos: list[Path], arguments: list[str], message: str
) -> None:
    outcome = run("generate", "--model", "classifier", *arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert re.fullmatch(r"error: .*\n", outcome.error)
    assert (outcome.out, made()) == ("", [])


@pytest.mark.parametrize("model", ["classifier", "inverter"])
def test_an_unreadable_image_is_reported_and_skipped(run: Run, photos: list[Path], model: str) -> None:
    photos[1].write_bytes(photos[1].read_bytes()[:60])
    outcome = run("generate", "--model", model, "--image", "in")
    assert outcome.code == 1
    assert re.fullmatch(r"error: in/1\.png: damaged .*\n", outcome.error)
    if model == "classifier":
        assert [answer["image"] for answer in answers(outcome.out)] == ["0.png", "2.png"]
    else:
        assert len(made()) == 2


def test_nothing_but_unreadable_images_is_a_failure(run: Run, photos: list[Path]) -> None:
    for path in photos:
        path.write_text("text")
    alone = run("generate", "--model", "classifier", "--image", "in/0.png")
    assert (alone.code, alone.out) == (1, "")
    assert re.fullmatch(r"error: in/0\.png: not an image of type PNG, JPEG, .*\n", alone.error)
    several = run("generate", "--model", "classifier", "--image", "in", "--output", "x.jsonl")
    assert (several.code, several.out, made()) == (1, "", [])
    assert re.fullmatch(r"(error: in/\d\.png: not an image of type .*\n){3}", several.error)


def test_numbers_are_not_written_over(run: Run, photos: list[Path]) -> None:
    command = ["generate", "--model", "classifier", "--image", "in", "--output", "x.jsonl"]
    assert run(*command).code == 0
    Path("x.jsonl").write_text("notes\n")
    assert run(*command).error == "error: x.jsonl exists; choose another path, or remove it\n"
    assert Path("x.jsonl").read_text() == "notes\n"


def test_numbers_can_be_one_file_per_image(run: Run, photos: list[Path]) -> None:
    together = answers(run("generate", "--model", "classifier", "--image", "in").out)
    outcome = run("generate", "--model", "classifier", "--image", "in", "--output", "each/", "--format", "json")
    assert (outcome.code, outcome.out) == (0, "each\n")
    assert [json.loads(Path(name).read_text()) for name in made()] == together


def test_a_huge_image_is_rejected_without_decoding(models: Path, tmp_path: Path) -> None:
    PILImage.new("1", (11_000, 9_000)).save(tmp_path / "huge.png")
    command = ["generate", "--model", "classifier", "--models", models, "--image", tmp_path / "huge.png"]
    done = subprocess.run(
        [sys.executable, "-m", "gan_serve", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: .*huge\.png: .*more than the 64 megapixels.*\n", done.stderr)


def test_help_and_info_describe_image_inputs(run: Run) -> None:
    words = " ".join(run("generate", "--model", "classifier", "--help").out.split())
    assert "--image FILE an image of any size (made 8x8 grey), a folder of them, or a glob in quotes" in words
    assert "gan-serve generate --model classifier --image image.png" in words
    assert "gan-serve generate --model classifier --image 'images/*.png' --output outputs.jsonl" in words
    info = run("info", "classifier").out
    assert re.search(r"input +image: an image of any size \(made 8x8 grey\).*must be given", info)
    assert re.search(r"output +classes: probabilities of 10 classes", info)
    assert re.search(r"output +brightest: score from -1 to 1", info)


def test_an_image_becomes_a_named_file(run: Run, photos: list[Path]) -> None:
    outcome = run("generate", "--model", "inverter", "--image", photos[0])
    assert (outcome.code, outcome.error) == (0, "")
    assert re.fullmatch(r"inverter-0-[0-9a-f]{8}\.png\n", outcome.out)
    np.testing.assert_array_equal(read_generated(Path(outcome.out.strip()))[1], 255 - NOISE[0])


def test_many_images_fill_a_folder_that_is_not_filled_twice(run: Run, photos: list[Path]) -> None:
    command = ["generate", "--model", "inverter", "--image", "in", "--output", "out/"]
    first = run(*command)
    assert (first.out, first.error) == ("out\n", "")
    names = [re.sub("-[0-9a-f]{8}", "", name) for name in made()]
    assert names == ["out/inverter-0.png", "out/inverter-1.png", "out/inverter-2.png"]
    for name, pixels in zip(made(), NOISE, strict=True):
        np.testing.assert_array_equal(read_generated(Path(name))[1], 255 - pixels)
    Path(made()[1]).unlink()
    assert run(*command).error == "continuing: 2 of 3 done\n"
    assert run(*command).error == "nothing to do: 3 of 3 done\n"


def test_another_image_under_the_same_name_is_another_job(run: Run, photos: list[Path]) -> None:
    command = ["generate", "--model", "inverter", "--image", "in", "--output", "all.npy"]
    assert run(*command).code == 0
    PILImage.fromarray(255 - NOISE[1]).save(photos[1])
    again = run(*command)
    assert again.code == 1
    assert "all.npy exists and was made differently" in again.error


def test_stdout_gets_the_image(models: Path, tmp_path: Path) -> None:
    PILImage.fromarray(NOISE[0]).save(tmp_path / "x.png")
    command = ["generate", "--model", "inverter", "--models", models, "--image", tmp_path / "x.png", "--output", "-"]
    done = subprocess.run([sys.executable, "-m", "gan_serve", *map(str, command)], capture_output=True, check=True)
    with PILImage.open(io.BytesIO(done.stdout)) as image:
        np.testing.assert_array_equal(np.asarray(image), 255 - NOISE[0])
    assert done.stderr == b""


@pytest.mark.parametrize("model", ["inverter", "noisy"])
@pytest.mark.parametrize("arguments", [["--output", "x.png"], ["--output", "x.npy"], ["--grid", "--output", "x.webp"]])
def test_reproduce_finds_the_image_and_makes_the_same_again(
    run: Run, photos: list[Path], model: str, arguments: list[str]
) -> None:
    images = "in/1.png" if arguments[-1] == "x.png" else "in"
    assert run("generate", "--model", model, "--image", images, *arguments).code == 0
    outcome = run("reproduce", arguments[-1], "--inputs", "in")
    assert (outcome.code, outcome.error) == (0, "identical\n")


def test_reproduce_searches_beside_the_file_and_in_the_current_folder(run: Run, photos: list[Path]) -> None:
    run("generate", "--model", "noisy", "--image", "in/0.png", "--output", "in/made.png")
    assert run("reproduce", "in/made.png").error == "identical\n"
    Path("in/made.png").rename("made.png")
    lost = run("reproduce", "made.png")
    assert lost.code == 1
    assert re.fullmatch(r"error: the input '0\.png' is not in '\.' .*--inputs DIR\n", lost.error)
    Path("elsewhere").mkdir()
    Path("made.png").rename("elsewhere/made.png")
    photos[0].rename("0.png")
    assert run("reproduce", "elsewhere/made.png").error == "identical\n"
    Path("0.png").write_bytes(photos[1].read_bytes())
    changed = run("reproduce", "elsewhere/made.png")
    assert changed.code == 1
    assert re.fullmatch(r"error: 0\.png is not the image that was used .*\n", changed.error)


def test_reproduce_rejects_an_image_made_from_an_array(run: Run, models: Path) -> None:
    gan_serve.load("inverter", models=models).generate(image=NOISE[0]).save("x.png")
    outcome = run("reproduce", "x.png")
    assert outcome.code == 1
    assert re.fullmatch(r"error: the input was an array or a pipe, not a file; .*\n", outcome.error)


@pytest.mark.parametrize(
    "value",
    [3, {"file": "../in/0.png", "sha256": "0" * 64}, {"file": "0.png"}, {"file": "..", "sha256": "0" * 64}, None],
)
def test_reproduce_rejects_a_forged_image(run: Run, photos: list[Path], value: object) -> None:
    run("generate", "--model", "inverter", "--image", "in/0.png", "--output", "x.png")
    forged = json.loads(read_document(Path("x.png"))) | {"inputs": [{"image": value} if value else {}]}
    with PILImage.open("x.png") as image:
        Path("x.png").write_bytes(encode_image(image, "png", json.dumps(forged)))
    outcome = run("reproduce", "x.png", "--inputs", "in")
    assert outcome.code in (1, 2)
    assert re.fullmatch(r"error: .*\n", outcome.error)
