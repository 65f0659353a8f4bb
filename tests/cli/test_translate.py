"""gan-serve translate: several images, unreadable images, masks, pipes and jobs."""

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, Run
from PIL import Image as PILImage
from PIL import ImageSequence

import gan_serve

SIZES = [(9, 14), (20, 20), (31, 8)]  # height and width


@pytest.fixture
def photos(run: Run) -> list[Path]:
    """Three images of different sizes, and a mask for each that is white on the left."""
    for folder in ("in", "masks"):
        Path(folder).mkdir()
    for place, (height, width) in enumerate(SIZES):
        pixels = np.random.RandomState(place).randint(250, size=(height, width, 3), dtype=np.uint8)
        PILImage.fromarray(pixels).save(f"in/{place}.png")
        mask = np.zeros((height, width), np.uint8)
        mask[:, : width // 2] = 255
        PILImage.fromarray(mask).save(f"masks/{place}.png")
    return sorted(Path("in").iterdir())


def made(folder: str = "out") -> dict[str, np.ndarray]:
    """What lies in a folder, by the names of the images that it was made of."""
    files = {re.sub("-[0-9a-f]{8}.*", "", path.stem.split("-", 1)[1]): path for path in sorted(Path(folder).iterdir())}
    return {name: np.asarray(PILImage.open(path)) for name, path in files.items()}


@pytest.mark.parametrize("images", [["in"], ["in/*.png"], ["in/0.png", "in/1.png", "in/2.png"]])
def test_the_short_form_is_the_long_one(run: Run, photos: list[Path], images: list[str]) -> None:
    short = run("translate", "enlarger", *images, "--output", "out/")
    assert (short.code, short.out, short.error) == (0, "out\n", "")
    assert [each.shape for each in made().values()] == [(2 * height, 2 * width, 3) for height, width in SIZES]
    long = run("generate", "--model", "enlarger", "--image", "in", "--output", "long/")
    assert long.code == 0
    assert made("long").keys() == made().keys()
    for name, pixels in made("long").items():
        np.testing.assert_array_equal(pixels, made()[name])


def test_one_image_is_a_named_file(run: Run, photos: list[Path], models: Path) -> None:
    outcome = run("translate", "enlarger", "in/0.png")
    assert re.fullmatch(r"enlarger-0-[0-9a-f]{8}\.png\n", outcome.out)
    expected = gan_serve.load("enlarger", models=models).generate(image=photos[0]).images()[0]
    np.testing.assert_array_equal(np.asarray(PILImage.open(outcome.out.strip())), np.asarray(expected))


def test_options_may_stand_before_the_model(run: Run, photos: list[Path]) -> None:
    outcome = run("translate", "--hole", "masks/0.png", "--output=x.png", "filler", "in/0.png", "--format", "png")
    assert (outcome.code, outcome.out, outcome.error) == (0, "x.png\n", "")


@pytest.mark.parametrize("broken", ["in/1.png", "masks/1.png"])
def test_an_unreadable_image_takes_only_its_own_mask_along(run: Run, photos: list[Path], broken: str) -> None:
    Path(broken).write_bytes(b"no image")
    outcome = run("translate", "filler", "in", "--hole", "masks", "--output", "out")
    assert outcome.code == 1
    assert re.fullmatch(rf"error: {broken}: not an image of type PNG.*\n", outcome.error)
    assert list(made()) == ["0", "2"]
    for place, pixels in zip((0, 2), made().values(), strict=True):
        width = SIZES[place][1]
        original = np.asarray(PILImage.open(photos[place]))
        assert (pixels[:, : width // 2] == 255).all()
        np.testing.assert_array_equal(pixels[:, width // 2 :], original[:, width // 2 :])


def test_the_output_path_depends_on_the_named_images(run: Run, photos: list[Path]) -> None:
    whole = photos[1].read_bytes()
    photos[1].write_bytes(b"no image")
    command = ["translate", "enlarger", "in/0.png", "in/1.png", "--output", "out"]
    assert run(*command).code == 1
    assert list(made()) == ["0"]
    photos[1].write_bytes(whole)
    assert run(*command).error == "continuing: 1 of 2 done\n"
    assert list(made()) == ["0", "1"]


def test_an_inaccessible_image_is_reported_and_skipped(run: Run, photos: list[Path]) -> None:
    beyond = "x" * 300 + ".png"  # the system says no, to root as well
    outcome = run("translate", "enlarger", beyond, "in/0.png", "in/1.png", "--output", "out")
    assert (outcome.code, outcome.error) == (1, f"error: {beyond}: cannot be read (File name too long)\n")
    assert list(made()) == ["0", "1"]


@pytest.mark.parametrize(
    "stem", ["Screenshot from 2024-05-01 12-34-56 (copy {})", "二十三文字の日本語の名前を持つ絵のファイル{}", "{}"]
)
def test_names_of_any_length_make_files_of_different_names(run: Run, photos: list[Path], stem: str) -> None:
    for folder in ("in", "masks"):
        for number, path in enumerate(sorted(Path(folder).iterdir())):
            path.rename(path.with_stem(stem.format(number) * (1 if stem != "{}" else 200)))
    outcome = run("translate", "filler", "in", "--hole", "masks")
    assert (outcome.code, outcome.error) == (0, "")
    assert len(list(Path(outcome.out.strip()).iterdir())) == 3


def test_copies_of_an_image_are_files_of_their_own(run: Run, photos: list[Path]) -> None:
    for copy in ("in/0.jpg", "in/0 1.png", "in/0_1.png"):
        Path(copy).write_bytes(photos[0].read_bytes())
    command = ["translate", "enlarger", "in", "--output", "out"]
    assert run(*command).code == 0
    assert len(list(Path("out").iterdir())) == 6
    assert run(*command).error == "nothing to do: 6 of 6 done\n"


def test_a_file_that_begins_like_an_option_is_named_behind_two_dashes(run: Run, photos: list[Path]) -> None:
    photos[0].rename("-0.png")
    assert run("translate", "enlarger", "--output", "x.png", "--", "-0.png") == Outcome(0, "x.png\n", "")
    assert "no option -0.png" in run("translate", "enlarger", "-0.png").error


def test_input_images_are_never_overwritten(run: Run, photos: list[Path]) -> None:
    Path("link.png").symlink_to("in/0.png")
    before = photos[0].read_bytes()
    for output in ("in/0.png", "link.png"):
        outcome = run("translate", "enlarger", "in/0.png", "--output", output)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.error == f"error: {output} is an input image; choose another path for the output\n"
    assert photos[0].read_bytes() == before


def test_one_mask_is_for_all_and_two_for_three_is_wrong(run: Run, photos: list[Path]) -> None:
    assert run("translate", "filler", "in", "--hole", "masks/0.png", "--output", "out").code == 0
    assert len(list(Path("out").iterdir())) == 3
    outcome = run("translate", "filler", "in", "--hole", "masks/[01].png", "--output", "other")
    assert outcome.code == 2
    assert "there are 3 of image and 2 of hole; give the same number of each, or one for all" in outcome.error
    assert not Path("other").exists()


def test_an_image_with_too_large_an_output_is_reported_and_skipped(run: Run, photos: list[Path]) -> None:
    PILImage.new("L", (9_000, 1)).save("in/long.png")
    outcome = run("translate", "enlarger", "in", "--output", "out")
    assert outcome.code == 1
    assert re.fullmatch(r"error: long\.png: its output would have 18000x2 pixels, .*\n", outcome.error)
    assert len(list(Path("out").iterdir())) == 3


def test_images_come_and_go_through_pipes(models: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    PILImage.new("RGB", (10, 6), "teal").save(buffer, "JPEG")
    for arguments in (
        ["translate", "enlarger", "-", "--output", "-"],
        ["translate", "enlarger", "/dev/stdin", "--output", "/dev/stdout"],
        ["generate", "--model", "enlarger", "--image", "-", "--output", "-"],
    ):
        command = [sys.executable, "-m", "gan_serve", *arguments, "--models", str(models)]
        done = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True, cwd=tmp_path)
        with PILImage.open(io.BytesIO(done.stdout)) as image:
            assert (image.format, image.size) == ("PNG", (20, 12))
        assert (done.stderr, list(tmp_path.iterdir())) == (b"", [])
        empty = subprocess.run(command, input=b"", capture_output=True, check=False, text=False, cwd=tmp_path)
        assert (empty.returncode, empty.stdout) == (1, b"")
        assert re.fullmatch(rb"error: (/dev/)?stdin: not an image of type PNG.*\n", empty.stderr)


def test_the_first_of_several_images_is_used_with_a_warning(run: Run) -> None:
    frames = [PILImage.new("RGB", (8, 8), colour) for colour in ("red", "green")]
    for name in ("moving.gif", "moving.webp", "moving.png", "pages.tiff"):
        frames[0].save(name, save_all=True, append_images=frames[1:])
        outcome = run("translate", "enlarger", name, "--output", "x.png")
        assert (outcome.code, outcome.error) == (
            0,
            f"warning: {name} holds several images; only the first is used\n",
        )
    frames[0].save("still.gif")
    assert run("translate", "enlarger", "still.gif", "--output", "x.png").error == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "in"], "digits is not an image-to-image model; see: gan-serve generate --model digits --help"),
        (["classifier", "in"], "classifier is not an image-to-image model"),
        (["absent", "in"], "no model 'absent'"),
        (["enlarger", "absent.png"], "image 'absent.png' does not exist"),
        (["enlarger", "in/0.png", "--hole", "masks/0.png"], "no option --hole"),
        (["filler", "in"], "filler needs hole"),
        (["filler", "-", "--hole", "-"], "only one image can come from stdin"),
        (["enlarger", "in", "--format", "npy"], "enlarger makes images of any size, which no array can hold"),
        (["enlarger", "in/0.png", "--format", "npy", "--output", "-"], "which no array can hold"),
        (["enlarger", "in", "--output", "x.png"], "3 images do not fit into x.png"),
        (["enlarger", "in", "--output", "in"], "in holds the input images; choose another folder"),
        (["enlarger", "in/0.png", "in/1.png", "--output", "masks/../in/"], "in holds the input images"),
        (["enlarger"], "Missing argument 'IMAGE...'"),
        (
            ["filler", "in/0.png", "--hle", "masks/0.png"],
            "no option --hle (did you mean --hole or --scale or --seed?); the inputs of filler are --hole",
        ),
        (
            ["--frob", "3", "enlarger", "in"],
            "no option --frob (did you mean --format or --grid?); enlarger has no inputs to set",
        ),
        (["--frob", "enlarger"], "no option --frob (did you mean --format or --grid?); --help shows all options"),
    ],
)
def test_wrong_usage_prints_one_line_and_has_exit_code_2(
    run: Run, photos: list[Path], arguments: list[str], message: str
) -> None:
    outcome = run("translate", *arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert re.fullmatch(r"error: .*\n", outcome.error)
    assert sorted(path.name for path in Path().iterdir()) == ["in", "masks"]


def test_help_describes_the_models_other_inputs(run: Run) -> None:
    words = " ".join(run("translate", "filler", "--help").out.split())
    assert "--hole FILE an image, white or transparent where to fill in, one for each image or one for all" in words
    assert "--image FILE" not in words
    assert "gan-serve translate MODEL photo.jpg" in " ".join(run("translate", "--help").out.split())


@pytest.mark.parametrize("model", ["enlarger", "filler"])
def test_the_examples_of_help_work(run: Run, photos: list[Path], model: str) -> None:
    Path("photos").mkdir()
    for path in ("photo.jpg", "photos/one.jpg", "photos/two.jpg", "hole.png"):
        PILImage.new("RGB", (12, 8), "teal").save(path)
    examples = re.findall(rf"^  gan-serve (translate {model} .*)", run("translate", model, "--help").out, re.MULTILINE)
    one, many, piped = map(shlex.split, examples)
    for command in (one, many):
        outcome = run(*command)
        assert outcome.code == 0, outcome.error
    assert piped[-4:] == ["<", "photo.jpg", ">", "output.png"]
    assert piped[:2] == one[:2]


@pytest.mark.parametrize("model", ["enlarger", "painter"])
def test_reproduce_makes_an_image_of_any_size_again(run: Run, photos: list[Path], model: str) -> None:
    assert run("translate", model, "in/0.png", "--output", "x.png").code == 0
    outcome = run("reproduce", "x.png", "--inputs", "in")
    assert (outcome.code, outcome.error) == (0, "identical\n")


def test_a_folder_of_images_of_any_size_is_resumed(run: Run, photos: list[Path]) -> None:
    command = ["translate", "enlarger", "in", "--output", "out"]
    assert run(*command).code == 0
    next(Path("out").iterdir()).unlink()
    assert run(*command).error == "continuing: 2 of 3 done\n"
    assert run(*command).error == "nothing to do: 3 of 3 done\n"


def test_other_files_of_a_folder_are_reported_and_its_images_translated(run: Run, photos: list[Path]) -> None:
    Path("in/gone.png").symlink_to("nowhere")
    Path("in/bad.png").write_bytes(b"no image")
    Path("in/notes.txt").touch()
    Path("in/sub").mkdir()
    outcome = run("translate", "enlarger", "in", "--output", "out")
    assert (outcome.code, outcome.out) == (1, "out\n")
    left_out, bad, gone = outcome.error.splitlines()
    assert left_out == "warning: in: left out 2: notes.txt (no image suffix), sub (a folder)"
    assert re.fullmatch(r"error: in/bad\.png: not an image of type PNG.*", bad)
    assert gone == "error: in/gone.png: cannot be read (No such file or directory)"
    assert list(made()) == ["0", "1", "2"]
    for name in ("in/gone.png", "in/bad.png"):
        Path(name).unlink()
    outcome = run("translate", "enlarger", "in", "--output", "out")
    assert (outcome.code, outcome.error) == (0, f"{left_out}\nnothing to do: 3 of 3 done\n")


def test_a_folder_without_images_is_rejected(run: Run, photos: list[Path]) -> None:
    Path("bare/sub").mkdir(parents=True)
    for folder in ("bare/sub", "bare"):
        outcome = run("translate", "enlarger", folder)
        told = "holds no images; give a file, a folder of images, or a glob in quotes"
        assert (outcome.code, outcome.error) == (2, f"error: image '{folder}' {told}\n")


def test_one_image_in_several_poses_moves_in_the_order_given(run: Run, photos: list[Path], models: Path) -> None:
    poses = ["walk left 2", "stand left", "walk left 1"]
    command = ["translate", "poser", "in/1.png", "--pose", ",".join(poses), "--seed", 0, "--output", "walk.webp"]
    assert run(*command) == Outcome(0, "walk.webp\n", "seed 0\n")
    expected = gan_serve.load("poser", models=models).generate(image=photos[1], pose=poses).images()
    with PILImage.open("walk.webp") as walk:
        shown = [frame.convert("RGB").tobytes() for frame in ImageSequence.all_frames(walk)]
    assert shown == [image.tobytes() for image in expected]
    assert len(set(shown)) == 3
    assert run("reproduce", "walk.webp", "--inputs", "in").error == "identical\n"


def test_all_poses_of_one_image_are_nearly_a_square(run: Run, photos: list[Path], models: Path) -> None:
    assert run("translate", "poser", "in/1.png", "--pose", "0-3", "--grid", "--output", "all.png").code == 0
    each = [
        np.asarray(image)
        for image in gan_serve.load("poser", models=models).generate(image=photos[1], pose="0-3").images()
    ]
    with PILImage.open("all.png") as grid:
        np.testing.assert_array_equal(np.asarray(grid), np.vstack([np.hstack(each[:2]), np.hstack(each[2:])]))


def test_an_unknown_pose_is_refused_with_the_nearest_name(run: Run, photos: list[Path]) -> None:
    outcome = run("translate", "poser", "in/1.png", "--pose", "walk lft 3")
    assert outcome.code == 2
    assert "pose 'walk lft 3' does not exist (did you mean walk left 3 or" in outcome.error
    assert outcome.error.count("\n") == 1
