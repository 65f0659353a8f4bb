"""The training command line, run for real."""

import dataclasses
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from gan_serve.errors import Failure, UsageError
from training import checkpoint, runs, variants
from training.__main__ import app, main

ROOT = Path(__file__).parents[2]
SMALL = ("--batch-size", "16", "--device", "cpu")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "training", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


def call(*arguments: object) -> None:
    """The same in this process: a second less."""
    CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def state(folder: Path) -> checkpoint.State:
    return checkpoint.load(folder / "checkpoint.pt", torch.device("cpu"))


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and all(map(same, one, other))
    return one == other


def test_training_in_two_parts_is_bit_exact(tmp_path: Path, digits_file: Path) -> None:
    settings = ("--set", "final_learning_rate=1", "--set", "augment=color,translation,cutout")
    options = ("--data", digits_file, *SMALL, "--precision", "fp32", "--seed", 3, *settings)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    call("train", "dcgan", *options, "--steps", 12, "-o", whole)
    call("train", "dcgan", *options, "--steps", 6, "-o", parts)
    assert state(parts)["step"] == 6
    assert run("train", "dcgan", "--resume", "--steps", 12, "-o", parts, "--device", "cpu").returncode == 0
    one, other = state(whole), state(parts)
    for key in ("step", "game", "average", "optimizers", "random"):
        assert same(one[key], other[key]), key


def test_a_training_keeps_averages_on_its_way_and_a_new_one_forgets_them(tmp_path: Path, digits_file: Path) -> None:
    options = ("--data", digits_file, *SMALL, "-o", tmp_path)
    call("train", "gan", *options, "--steps", 32)
    assert {path.stem for path in (tmp_path / "snapshots").iterdir()} == {str(2 * part) for part in range(1, 17)}
    last = checkpoint.load(tmp_path / "snapshots" / "32.pt", torch.device("cpu"))
    assert same(last["average"], state(tmp_path)["average"])
    call("train", "gan", *options, "--steps", 3)
    assert {path.stem for path in (tmp_path / "snapshots").iterdir()} == {"1", "2", "3"}


def test_sigterm_leaves_a_checkpoint_to_go_on_from(tmp_path: Path, digits_file: Path) -> None:
    arguments = command("train", "gan", "--data", digits_file, *SMALL, "--steps", 1_000_000, "-o", tmp_path)
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_for_tensorboard(tmp_path)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    stopped = re.search(r"stopped by SIGTERM at step (\d+); go on with: python -m training train gan", errors)
    assert stopped, errors
    step = int(stopped[1])
    assert state(tmp_path)["step"] == step
    resumed = run("train", "gan", "--resume", "-o", tmp_path, "--steps", step + 5)
    assert resumed.returncode == 0, resumed.stderr
    assert state(tmp_path)["step"] == step + 5


def wait_for_tensorboard(folder: Path) -> None:
    """Training has begun once it has logged something."""
    deadline = time.monotonic() + 100
    while not list((folder / "tensorboard").glob("events*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)


def test_what_was_overridden_is_recorded(tmp_path: Path, digits_file: Path) -> None:
    call(
        "train", "gan", "--data", digits_file, *SMALL, "--steps", 2, "-o", tmp_path,
        "--set", "learning_rate=1e-3", "--set", "betas=0,0.9", "--set", "saturating=true",
    )  # fmt: skip
    recipe = state(tmp_path)["run"]["recipe"]
    assert (recipe["learning_rate"], recipe["betas"], recipe["saturating"]) == (1e-3, (0.0, 0.9), True)
    assert (recipe["steps"], recipe["batch_size"]) == (2, 16)


@pytest.mark.parametrize("option", ["--data", "--set"])
def test_the_data_that_it_was_trained_on_is_recorded(tmp_path: Path, digits_file: Path, option: str) -> None:
    value = digits_file if option == "--data" else f"dataset={digits_file}"
    call("train", "gan", option, value, *SMALL, "--steps", 1, "-o", tmp_path)
    trained = runs.load_trained(tmp_path, "gan")
    assert trained.source == str(digits_file)
    assert trained.training.recipe["dataset"] == trained.data.name == "digits"


def test_a_training_that_goes_on_elsewhere_knows_both_places_and_all_images(tmp_path: Path, digits_file: Path) -> None:
    call("train", "gan", "--data", digits_file, *SMALL, "--steps", 2, "-o", tmp_path)
    here, threads = state(tmp_path)["hardware"], torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        call("train", "gan", "--resume", "--steps", 5, "-o", tmp_path, "--batch-size", 8, "--device", "cpu")
    finally:
        torch.set_num_threads(threads)
    trained = runs.load_trained(tmp_path, "gan").training
    assert re.fullmatch(rf"{re.escape(here)}, from step 2 .*, {threads + 1} cores", trained.hardware)
    assert trained.images_seen == 2 * 16 + 3 * 8


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        (("--data", "mnist"), r"this training has --data .*digits\.npz, not mnist; to go on, leave that out"),
        (("--seed", 0), "this training has --seed 3, not 0"),
        (("--precision", "bf16"), "this training has --precision fp32, not bf16"),
    ],
)
def test_what_a_training_cannot_change_on_its_way_is_refused(
    tmp_path: Path, digits_file: Path, option: tuple[object, ...], complaint: str
) -> None:
    begun = ("--data", digits_file, "--seed", 3, "--precision", "fp32")
    call("train", "gan", *begun, *SMALL, "--steps", 1, "-o", tmp_path)
    with pytest.raises(UsageError, match=complaint):
        call("train", "gan", "--resume", "-o", tmp_path, "--steps", 2, *option)
    call("train", "gan", "--resume", "-o", tmp_path, "--steps", 2, *begun)
    assert state(tmp_path)["step"] == 2


def test_a_value_that_was_not_recorded_is_the_variants_own() -> None:
    recipe = runs.recipe_from("dcgan", {"steps": 3, "betas": [0.0, 0.9]})
    assert recipe == dataclasses.replace(variants.find("dcgan").recipe, steps=3, betas=(0.0, 0.9))


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("train", "dcgna"), 2, "did you mean dcgan"),
        (("train", "dcgan", "--data", "nowhere"), 2, "no data 'nowhere'"),
        (("train", "dcgan", "--device", "tpu"), 2, "unknown device 'tpu'"),
        (("train", "dcgan", "--precision", "fp8"), 2, "unknown precision 'fp8'"),
        (("train", "dcgan", "--set", "speed=3"), 2, "no 'speed'"),
        (("train", "dcgan", "--set", "learning_rate=fast"), 2, "learning_rate is a float"),
        (
            ("train", "dcgan", "--set", "augment=colour"),
            2,
            "no augmentation 'colour'; give any of color,translation,cutout",
        ),
        (("train", "dcgan", "--resume"), 1, "train first"),
        (("export", "dcgan"), 1, "train first"),
        (("evaluate", "dcgna"), 2, "no model 'dcgna'"),
        (("judge", "moons"), 2, "no data 'moons'"),
        (("stacked-mnist", "--variants", "dcgan,gan"), 2, "gan has networks of its own"),
        (("stacked-mnist", "--device", "tpu"), 2, "unknown device 'tpu'"),
    ],
)
def test_mistakes_get_one_line(
    tmp_path: Path,
    digits_file: Path,
    arguments: tuple[str, ...],
    code: int,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ("--data", digits_file) if "--data" not in arguments else ()
    more = {"train": ("-o", tmp_path, "--steps", 1, *data), "export": ("-o", tmp_path)}.get(arguments[0], ())
    monkeypatch.setattr(sys, "argv", ["training", *map(str, (*arguments, *more))])
    with pytest.raises(SystemExit) as exit:
        main()
    errors = capsys.readouterr().err
    assert exit.value.code == code
    assert errors.startswith("error: ")
    assert complaint in errors
    assert errors.count("\n") == 1


def test_a_loss_that_is_no_number_stops_the_training_at_once(tmp_path: Path, digits_file: Path) -> None:
    with pytest.raises(Failure, match="is not a number; lower the learning rate"):
        call(
            "train", "dcgan", "--data", digits_file, *SMALL, "--precision", "fp32", "--steps", 200, "-o", tmp_path,
            "--set", "learning_rate=1e30",
        )  # fmt: skip
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(Failure, match="not a readable checkpoint"):
        checkpoint.load(tmp_path / "checkpoint.pt", torch.device("cpu"))


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path) -> None:
    torch.save({"step": 1, "format": checkpoint.FORMAT + 1}, tmp_path / "checkpoint.pt")
    with pytest.raises(Failure, match="a checkpoint of another version of this code; train again"):
        checkpoint.load(tmp_path / "checkpoint.pt", torch.device("cpu"))


@pytest.mark.parametrize("command", [("train", "gan", "--resume"), ("export", "gan")])
def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path, digits_file: Path, command: tuple[str, ...]) -> None:
    call("train", "gan", "--data", digits_file, *SMALL, "--steps", 1, "-o", tmp_path)
    saved = state(tmp_path)
    for networks in (saved["game"], saved["average"]):
        networks["generator.forgotten"] = torch.zeros(1)
    checkpoint.save(tmp_path / "checkpoint.pt", saved)
    with pytest.raises(Failure, match="a checkpoint of another version of this code; train again"):
        call(*command, "-o", tmp_path)


def test_checkpoints_hold_no_code(tmp_path: Path) -> None:
    torch.save({"step": print}, tmp_path / "checkpoint.pt")
    with pytest.raises(Failure, match="not a readable checkpoint"):
        checkpoint.load(tmp_path / "checkpoint.pt", torch.device("cpu"))


def test_the_command_line_lists_every_variant() -> None:
    listed = CliRunner().invoke(app, ["list"]).stdout
    assert [line.split()[0] for line in listed.splitlines()] == [*variants.trainings()]
    assert "wgan_gp" in listed


def test_a_further_training_has_a_recipe_and_a_model_of_its_own(tmp_path: Path, digits_file: Path) -> None:
    call("train", "dragan-characters", "--data", digits_file, *SMALL, "--steps", 1, "-o", tmp_path)
    assert state(tmp_path)["run"]["variant"] == "dragan"
    assert state(tmp_path)["run"]["recipe"]["width"] == 20
    call("export", "dragan-characters", "-o", tmp_path, "--models", tmp_path / "models")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["dragan-characters"]
