"""Input animations stay animations, or their first frame is used with a warning."""

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from PIL import ImageSequence

import gan_serve

COLOURS = ("red", "lime", "blue")
TIMES = [50, 120, 300]


@pytest.fixture(params=["GIF", "WEBP", "PNG"])
def moving(run: Run, request: pytest.FixtureRequest) -> str:
    """A file with three frames that are shown for different times."""
    first, *others = [PILImage.new("RGB", (8, 6), colour) for colour in COLOURS]
    name = f"moving.{request.param.lower()}"
    first.save(name, save_all=True, append_images=others, duration=TIMES, loop=0, lossless=True)
    return name


def frames(file: str | io.BytesIO) -> tuple[list[np.ndarray], list[int]]:
    with PILImage.open(file) as image:
        shown = [
            (np.asarray(frame.convert("RGBA")), frame.info["duration"]) for frame in ImageSequence.all_frames(image)
        ]
    return [pixels for pixels, _ in shown], [int(time) for _, time in shown]


@pytest.mark.parametrize("output", ["x.gif", "x.webp"])
def test_each_frame_is_translated_and_keeps_its_duration(run: Run, models: Path, moving: str, output: str) -> None:
    outcome = run("translate", "inverter", moving, "--output", output)
    assert (outcome.code, outcome.out, outcome.error) == (0, f"{output}\n", "")
    made, times = frames(output)
    assert times == TIMES
    assert [tuple(255 - frame[3, 3, :3]) for frame in made] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert run("reproduce", output).error == "identical\n"


def test_otherwise_the_first_frame_is_used_with_a_warning(run: Run, models: Path, moving: str) -> None:
    message = f"{moving} holds several images; only the first is used"
    outcome = run("translate", "enlarger", moving, "--output", "x.png")
    assert (outcome.code, outcome.error) == (0, f"warning: {message}\n")
    enlarger = gan_serve.load("enlarger", models=models)
    with pytest.warns(UserWarning, match=message):
        enlarger.generate(image=moving)
    with pytest.warns(UserWarning, match="image holds several images"), PILImage.open(moving) as opened:
        enlarger.generate(image=opened)
    with pytest.warns(UserWarning, match="image holds several images"):
        enlarger.generate(image=Path(moving).read_bytes())


def test_frames_from_python_keep_their_times(run: Run, models: Path, moving: str) -> None:
    with PILImage.open(moving) as opened:
        result = gan_serve.load("inverter", models=models).generate(image=ImageSequence.all_frames(opened))
    assert frames(io.BytesIO(result.encode("webp")))[1] == TIMES
    assert result.save("x.gif") == [Path("x.gif")]
    assert frames("x.gif")[1] == TIMES


def test_clear_frames_stay_clear(run: Run) -> None:
    clear = [PILImage.new("RGBA", (8, 6), colour) for colour in COLOURS]
    for place, frame in enumerate(clear):
        frame.putpixel((place, 0), (0, 0, 0, 0))
    clear[0].save("x.webp", save_all=True, append_images=clear[1:], duration=TIMES, lossless=True)
    for output in ("y.webp", "y.gif"):
        assert run("translate", "painter", "x.webp", "--output", output).code == 0
        made, times = frames(output)
        assert times == TIMES
        assert [np.argwhere(frame[:, :, 3] < 128).tolist() for frame in made] == [[[0, 0]], [[0, 1]], [[0, 2]]]
        assert run("reproduce", output).error == "identical\n"


def test_an_animation_passes_through_pipes(models: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    first, *others = [PILImage.new("RGB", (8, 6), colour) for colour in COLOURS]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=TIMES)
    command = [sys.executable, "-m", "gan_serve", "translate", "inverter", "-", "--output", "-", "--format", "gif"]
    command += ["--models", str(models)]
    done = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True, cwd=tmp_path)
    assert frames(io.BytesIO(done.stdout))[1] == TIMES


def test_of_several_files_each_gives_its_first_frame(run: Run, moving: str) -> None:
    PILImage.new("RGB", (8, 6), "white").save("still.png")
    outcome = run("translate", "inverter", moving, "still.png", "--output", "x.gif")
    assert re.fullmatch(r"warning: moving\.\w+ holds several images; only the first is used\n", outcome.error)
    assert len(frames("x.gif")[0]) == 2


def test_a_missing_frame_is_rejected(run: Run, moving: str) -> None:
    assert run("translate", "inverter", moving, "--output", "x.webp").code == 0
    PILImage.new("RGB", (8, 6), "red").save(moving)
    outcome = run("reproduce", "x.webp")
    assert outcome.code == 1
    assert re.fullmatch(r"error: .*\n", outcome.error)


def test_too_long_an_animation_is_rejected(run: Run) -> None:
    first, second = (PILImage.new("L", (9_000, 4_000), level) for level in (0, 9))
    first.save("long.gif", save_all=True, append_images=[second])
    outcome = run("translate", "inverter", "long.gif", "--output", "x.gif")
    message = "long.gif: 2 frames of 9000x4000 pixels; give up to 64 megapixels in all"
    assert (outcome.code, outcome.error) == (1, f"error: {message}\n")
