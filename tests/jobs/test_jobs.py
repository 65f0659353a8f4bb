import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

import gan_serve
from gan_serve.images.encoding import read_generated

COUNT = 20_000


def start(models: Path, *arguments: object, model: str = "digits") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gan_serve", "generate", "--model", model, "--models", models, *arguments]
    return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def send(process: subprocess.Popen[str], number: signal.Signals, begun: Callable[[], bool]) -> None:
    """Send a signal once the job has begun to write."""
    deadline = time.monotonic() + 60
    while not begun():
        assert process.poll() is None, "the job ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)


def stop(process: subprocess.Popen[str], number: signal.Signals, begun: Callable[[], bool]) -> str:
    """Send a signal that ends the job once it has begun to write; what it says."""
    send(process, number, begun)
    return process.communicate(timeout=60)[1]


def finish(models: Path, *arguments: object, model: str = "digits") -> str:
    process = start(models, *arguments, model=model)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 0, error
    return error


def expected(models: Path, seed: int, index: int) -> np.ndarray:
    return gan_serve.load("digits", models=models).generate(seed=seed, index=index).array[0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_an_interrupted_array_is_resumed_with_the_same_seed(
    models: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    output, part = tmp_path / "all.npy", tmp_path / ".all.npy.part"
    process = start(models, "--count", COUNT, "--output", output)
    said = stop(process, number, lambda: part.exists() and part.stat().st_size > 200_000)
    assert process.returncode == code
    assert not output.exists()
    assert number is signal.SIGKILL or re.fullmatch(
        r"seed \d+\nerror: interrupted: [\d,]+ of 20,000 done; run the same command again to resume\n", said
    )
    again = finish(models, "--count", COUNT, "--output", output)
    seed, continued = re.fullmatch(r"seed (\d+)\ncontinuing: ([\d,]+) of 20,000 done\n", again).groups()
    assert int(continued.replace(",", "")) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["all.npy"]
    array = np.load(output)
    assert array.shape == (COUNT, 1, 8, 8)
    for index in (0, 1000, COUNT - 1):
        np.testing.assert_array_equal(array[index], expected(models, int(seed), index))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_folder_has_only_complete_files_and_is_resumed(
    models: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = tmp_path / "all"
    process = start(models, "--count", 3000, "--label", 3, "--output", folder)
    stop(process, number, lambda: folder.exists() and sum(1 for _ in folder.glob("*.png")) > 100)
    assert process.returncode == code
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert 100 < len(before) < 3000
    for path in before:
        read_generated(path)
    again = finish(models, "--count", 3000, "--label", 3, "--output", folder)
    seed = re.match(r"seed (\d+)\ncontinuing: [\d,]+ of 3,000 done\n", again)[1]
    assert sorted(path.name for path in folder.iterdir()) == [
        f"digits-label3-seed{seed}-index{index:05}.png" for index in range(3000)
    ]
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_interrupted_lines_are_resumed_and_complete(
    models: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    PILImage.new("L", (8, 8), 99).save(tmp_path / "x.png")
    output, part = tmp_path / "all.jsonl", tmp_path / ".all.jsonl.part"
    arguments = [*["--image", tmp_path / "x.png"] * 3000, "--output", output]
    process = start(models, *arguments, model="classifier")
    stop(process, number, lambda: part.exists() and part.stat().st_size > 0)
    assert process.returncode == code
    assert not output.exists()
    with part.open("a") as file:
        file.write('{"image": "x.p')  # as if the power had failed
    again = finish(models, *arguments, model="classifier")
    assert re.fullmatch(r"continuing: [\d,]+ of 3,000 done\n", again)
    lines = output.read_text().splitlines()
    assert len(lines) == 3000
    assert len(set(lines)) == 1
    assert json.loads(lines[0])["image"] == "x.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.jsonl", "x.png"]


def test_a_job_stops_between_the_tiles_of_a_large_image(models: Path, tmp_path: Path) -> None:
    PILImage.new("RGB", (3000, 2000), "teal").save(tmp_path / "x.png")
    arguments = ["--image", tmp_path / "x.png", "--image", tmp_path / "x.png", "--output", tmp_path / "out"]
    process = start(models, *arguments, model="enlarger")
    said = stop(process, signal.SIGTERM, (tmp_path / "out" / ".gan-serve-job.json").exists)
    assert process.returncode == 143
    assert said == "error: interrupted: 0 of 2 done; run the same command again to resume\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".gan-serve-job.json"]


def test_a_finished_job_called_again_does_nothing(models: Path, tmp_path: Path) -> None:
    for output in (tmp_path / "all.npy", tmp_path / "all"):
        arguments = ["--count", 5, "--seed", 1, "--output", output]
        finish(models, *arguments)
        assert finish(models, *arguments) == "seed 1\nnothing to do: 5 of 5 done\n"


def test_a_longer_job_keeps_existing_files(models: Path, tmp_path: Path) -> None:
    arguments = ["--seed", 1, "--output", tmp_path / "all/"]
    finish(models, "--count", 5, *arguments)
    assert "continuing: 5 of 8 done" in finish(models, "--count", 8, *arguments)


@pytest.mark.parametrize("name", ["all.npy", "all"])
def test_other_files_are_not_overwritten(models: Path, tmp_path: Path, name: str) -> None:
    finish(models, "--count", 5, "--seed", 1, "--output", tmp_path / name)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    files[-1].write_bytes(b"of someone else")
    before = {path: path.read_bytes() for path in files}
    process = start(models, "--count", 8, "--seed", 1, "--output", tmp_path / name)
    assert re.fullmatch(r"error: .* exists and was made differently; .*\n", process.communicate()[1])
    assert process.returncode == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("name", "job"), [("all.npy", ".all.npy.job.json"), ("all", "all/.gan-serve-job.json")])
def test_only_one_process_writes_to_a_path(models: Path, tmp_path: Path, name: str, job: str) -> None:
    arguments = ["--count", 3000, "--seed", 1, "--output", tmp_path / name]
    first = start(models, *arguments)
    send(first, signal.SIGSTOP, lambda: (tmp_path / job).exists() and (tmp_path / job).stat().st_size > 0)
    second = start(models, *arguments)
    assert second.communicate(timeout=60)[1] == f"error: {tmp_path / name}: another process is writing to it\n"
    assert second.returncode == 1
    first.kill()  # no lock is left behind
    first.communicate()
    finish(models, *arguments)
    assert not (tmp_path / job).exists()
    made = np.load(tmp_path / name)[-1] if name == "all.npy" else read_generated(max((tmp_path / name).iterdir()))[1]
    assert made.shape[-2:] == (8, 8)


def test_a_broken_job_file_is_reported(models: Path, tmp_path: Path) -> None:
    (tmp_path / ".gan-serve-job.json").write_bytes(b"\xff")
    process = start(models, "--count", 5, "--output", tmp_path)
    assert re.fullmatch(r"error: .* holds another unfinished job; .*\n", process.communicate()[1])


@pytest.mark.parametrize("name", ["all.npy", "all.jsonl"])
def test_no_job_fills_a_device(models: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    PILImage.new("L", (8, 8), 99).save(tmp_path / "x.png")
    images = ["--image", tmp_path / "x.png"] if name == "all.jsonl" else []
    process = start(models, *images, "--output", tmp_path / name, model="classifier" if images else "digits")
    assert re.fullmatch(r"error: .* is not a regular file; .*\n", process.communicate()[1])
    assert (tmp_path / name).is_char_device()


def test_another_job_is_not_mixed_into_an_unfinished_one(models: Path, tmp_path: Path) -> None:
    output, part = tmp_path / "all.npy", tmp_path / ".all.npy.part"
    process = start(models, "--count", COUNT, "--output", output)
    stop(process, signal.SIGKILL, lambda: part.exists() and part.stat().st_size > 0)
    process = start(models, "--count", COUNT + 1, "--output", output)
    assert re.fullmatch(r"error: .*all\.npy holds another unfinished job; .*\n", process.communicate()[1])
    assert process.returncode == 1


def test_memory_does_not_grow_with_the_job(models: Path, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        script = (
            "import resource, sys; from gan_serve.cli import run; run(sys.argv[1:]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [
            "generate",
            "--model",
            "digits",
            "--models",
            models,
            "--output",
            tmp_path / f"{count}.npy",
            "--count",
            count,
        ]
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, command)], capture_output=True, text=True, check=True
        )
        return int(done.stdout.splitlines()[-1])

    array_kilobytes = 30_000 * 64 * 4 / 1024
    assert peak(30_000) - peak(300) < array_kilobytes
