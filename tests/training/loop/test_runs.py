"""The training command line, run for real."""

import dataclasses
import io
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from gan_serve.errors import Failure, UsageError
from training import variants
from training.__main__ import app, main
from training.data.dataset import Dataset
from training.loop import checkpoint, runs
from training.loop.folder import exclusive, prepare
from training.loop.reporting import Report
from training.loop.trainer import Trainer

ROOT = Path(__file__).parents[3]
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


def test_a_training_keeps_snapshots_and_a_new_one_deletes_them(tmp_path: Path, digits_file: Path) -> None:
    options = ("--data", digits_file, *SMALL, "-o", tmp_path)
    call("train", "gan", *options, "--steps", 32)
    assert {path.stem for path in (tmp_path / "snapshots").iterdir()} == {str(2 * part) for part in range(1, 17)}
    last = checkpoint.load(tmp_path / "snapshots" / "32.pt", torch.device("cpu"))
    assert same(last["average"], state(tmp_path)["average"])
    call("train", "gan", *options, "--steps", 3, "--overwrite")
    assert {path.stem for path in (tmp_path / "snapshots").iterdir()} == {"1", "2", "3"}


def test_sigterm_leaves_a_checkpoint_to_resume_from(tmp_path: Path, digits_file: Path) -> None:
    arguments = command("train", "gan", "--data", digits_file, *SMALL, "--steps", 1_000_000, "-o", tmp_path)
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_for_tensorboard(tmp_path)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    stopped = re.search(r"stopped by SIGTERM at step (\d+); continue with: python -m training train gan", errors)
    assert stopped, errors
    step = int(stopped[1])
    assert state(tmp_path)["step"] == step
    call("train", "gan", "--resume", "-o", tmp_path, "--steps", step + 5)
    assert state(tmp_path)["step"] == step + 5


def wait_for_tensorboard(folder: Path) -> None:
    """Training has begun once it has logged something."""
    deadline = time.monotonic() + 100
    while not list((folder / "tensorboard").glob("events*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)


def test_overridden_settings_are_recorded(tmp_path: Path, digits_file: Path) -> None:
    call(
        "train", "gan", "--data", digits_file, *SMALL, "--steps", 2, "-o", tmp_path,
        "--set", "learning_rate=1e-3", "--set", "betas=0,0.9", "--set", "saturating=true",
    )  # fmt: skip
    recipe = state(tmp_path)["run"]["recipe"]
    assert (recipe["learning_rate"], recipe["betas"], recipe["saturating"]) == (1e-3, (0.0, 0.9), True)
    assert (recipe["steps"], recipe["batch_size"]) == (2, 16)


@pytest.mark.parametrize("option", ["--data", "--set"])
def test_the_training_data_is_recorded(tmp_path: Path, digits_file: Path, option: str) -> None:
    value = digits_file if option == "--data" else f"dataset={digits_file}"
    call("train", "gan", option, value, *SMALL, "--steps", 1, "-o", tmp_path)
    trained = runs.load_trained(tmp_path, "gan")
    assert trained.source == str(digits_file)
    assert trained.training.recipe["dataset"] == trained.data.name == "digits"


def test_a_training_resumed_elsewhere_records_both_places_and_all_images(tmp_path: Path, digits_file: Path) -> None:
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
        (("--data", "mnist"), r"this training has --data .*digits\.npz, not mnist; to continue it, leave that out"),
        (("--seed", 0), "this training has --seed 3, not 0"),
        (("--precision", "bf16"), "this training has --precision fp32, not bf16"),
    ],
)
def test_a_resumed_training_refuses_a_change_of_fixed_settings(
    tmp_path: Path, digits_file: Path, option: tuple[object, ...], complaint: str
) -> None:
    begun = ("--data", digits_file, "--seed", 3, "--precision", "fp32")
    call("train", "gan", *begun, *SMALL, "--steps", 1, "-o", tmp_path)
    with pytest.raises(UsageError, match=complaint):
        call("train", "gan", "--resume", "-o", tmp_path, "--steps", 2, *option)
    call("train", "gan", "--resume", "-o", tmp_path, "--steps", 2, *begun)
    assert state(tmp_path)["step"] == 2


def test_an_unrecorded_setting_is_the_recipes_own() -> None:
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
        (("train", "dcgan", "--set", "learning_rate=fast"), 2, "the type of learning_rate is float"),
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


def test_a_nan_loss_stops_the_training_at_once(tmp_path: Path, digits_file: Path) -> None:
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


def test_a_preset_has_its_own_recipe_and_model(tmp_path: Path, digits_file: Path) -> None:
    call("train", "dragan-characters", "--data", digits_file, *SMALL, "--steps", 1, "-o", tmp_path)
    assert state(tmp_path)["run"]["variant"] == "dragan"
    assert state(tmp_path)["run"]["recipe"]["width"] == 20
    call("export", "dragan-characters", "-o", tmp_path, "--models", tmp_path / "models")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["dragan-characters"]


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        (
            "width=16",
            "this training has width 8, not 16; to continue it, leave that out; to start again, use --overwrite",
        ),
        ("image_size=48", "this training has image_size 28, not 48"),
        ("optimizer=rmsprop", "this training has optimizer adam, not rmsprop"),
    ],
)
def test_a_change_that_makes_another_training_is_refused_by_its_name(
    tmp_path: Path, digits_file: Path, setting: str, complaint: str
) -> None:
    call("train", "dcgan", "--data", digits_file, *SMALL, "--steps", 1, "-o", tmp_path, "--set", "width=8")
    with pytest.raises(UsageError, match=complaint):
        call("train", "dcgan", "--resume", "-o", tmp_path, "--steps", 2, "--set", setting)
    call("train", "dcgan", "--resume", "-o", tmp_path, "--steps", 2, "--set", "width=8")
    assert state(tmp_path)["step"] == 2


def test_a_changed_setting_is_reported(tmp_path: Path, digits_file: Path) -> None:
    call("train", "gan", "--data", digits_file, *SMALL, "--steps", 1, "-o", tmp_path)
    said = CliRunner().invoke(
        app, ["train", "gan", "--resume", "--steps", "2", "-o", str(tmp_path), "--set", "learning_rate=0.01"]
    )
    assert "learning_rate changes from 0.0002 to 0.01" in said.stderr
    assert state(tmp_path)["run"]["recipe"]["learning_rate"] == 0.01


def test_a_finished_training_says_so_and_one_past_its_last_step_is_refused(tmp_path: Path, digits_file: Path) -> None:
    call("train", "gan", "--data", digits_file, *SMALL, "--steps", 2, "-o", tmp_path)
    said = CliRunner().invoke(app, ["train", "gan", "--resume", "-o", str(tmp_path)])
    assert (said.exit_code, said.stderr) == (
        0,
        "this training has reached its last step, 2; give more --steps to go on\n",
    )
    with pytest.raises(UsageError, match="has come to step 2, further than 1; give more --steps"):
        call("train", "gan", "--resume", "-o", tmp_path, "--steps", 1)


def test_changed_data_is_named_as_the_cause(tmp_path: Path) -> None:
    data = tmp_path / "shades.npz"
    images, labels = np.zeros((32, 8, 8), np.uint8), np.arange(32) % 2
    np.savez(data, images=images, labels=labels)
    call("train", "gan", "--data", data, *SMALL, "--steps", 1, "-o", tmp_path / "run")
    np.savez(data, images=images, labels=np.arange(32) % 3)
    with pytest.raises(UsageError, match=r"the data has changed .* 2 classes \(0, 1\), 8x8 grey, and is of 3 classes"):
        call("train", "gan", "--resume", "-o", tmp_path / "run", "--steps", 2)


def test_a_training_first_describes_its_data_and_settings(tmp_path: Path) -> None:
    np.savez(tmp_path / "shades.npz", images=np.zeros((60, 8, 8, 3), np.uint8), labels=np.arange(60) % 2)
    options = ["--data", str(tmp_path / "shades.npz"), *SMALL, "--steps", "1", "-o", str(tmp_path / "run")]
    said = CliRunner().invoke(app, ["train", "gan", *options, "--precision", "fp32"]).stderr
    assert said.splitlines()[0] == (
        "shades: 50 images to train on (10 more are held out for the test), of 2 classes (0, 1), 8x8 RGB; "
        f"training to step 1 in batches of 16, on cpu in fp32; output: {tmp_path / 'run'}"
    )


def test_weights_that_grow_without_bound_end_the_training_and_the_last_good_checkpoint_stays(
    tmp_path: Path, digits_file: Path
) -> None:
    call("train", "gan", "--data", digits_file, *SMALL, "--steps", 4, "-o", tmp_path)
    good = (tmp_path / "checkpoint.pt").read_bytes()
    explode = ("--set", "learning_rate=1e9", "--device", "cpu")
    with pytest.raises(
        Failure, match=r"a weight grows without bound.*; its checkpoint of step 4 is kept, and --resume"
    ):
        call("train", "gan", "--resume", "-o", tmp_path, "--steps", 8, *explode)
    assert (tmp_path / "checkpoint.pt").read_bytes() == good
    call("train", "gan", "--resume", "-o", tmp_path, "--steps", 8, "--device", "cpu")
    assert state(tmp_path)["step"] == 8


LIMITED = """
import resource, sys
from training.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
sys.argv = ["training", *sys.argv[1:]]
main()
"""


def test_a_failed_checkpoint_is_one_line_and_leaves_the_earlier_one(tmp_path: Path, digits_file: Path) -> None:
    """A limit on the size of a file stands for a full disk: the write fails half-way in the same place."""
    call("train", "gan", "--data", digits_file, *SMALL, "--steps", 1, "-o", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.pt")}
    arguments = ("train", "gan", "--resume", "-o", tmp_path, "--steps", 2, "--device", "cpu")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    *_, trained, error = done.stderr.splitlines()
    assert done.returncode == 1
    assert trained.startswith("training: step 2 of 2"), "what was trained is said"
    assert error == (
        f"error: {tmp_path / 'checkpoint.pt'}: cannot be written (File too large); "
        "its checkpoint of step 1 is kept, and --resume goes on from there"
    )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.suffix in (".pt", ".part")} == before


@pytest.mark.parametrize("place", ["file/run", "file", f"{'x' * 300}/run"])
def test_an_impossible_folder_is_refused_before_anything_is_loaded(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((Failure, OSError), match=r"(Not a directory|File name too long)"):
        call("train", "gan", "--data", tmp_path / "nothing.npz", "-o", tmp_path / place)


def test_a_full_disk_is_refused_before_the_first_step(tmp_path: Path, digits: Dataset) -> None:
    gan = variants.find("gan")(digits.spec)
    trainer = Trainer(gan, digits, seed=0, device="cpu")
    with pytest.raises(Failure, match=r"no space for the checkpoints: they need [\d,.]+ MB, and [\d,.]+ MB are free"):
        prepare(tmp_path, trainer, 10**12)  # averages


def test_two_trainings_do_not_share_a_folder(tmp_path: Path, digits_file: Path) -> None:
    train = ("train", "gan", "--data", digits_file, "--steps", 1, "-o", tmp_path, *SMALL)
    with exclusive(tmp_path), pytest.raises(Failure, match=r"another process is writing to it$"):
        call(*train)
    assert not list(tmp_path.iterdir()), "neither wrote anything, and the lock is gone"
    call(*train)
    assert state(tmp_path)["step"] == 1


def test_a_removed_folder_is_created_again(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "gone" / "checkpoint.pt", {"step": 1})
    assert state(tmp_path / "gone")["step"] == 1


def test_a_training_continues_without_events_that_cannot_be_written(tmp_path: Path, digits: Dataset) -> None:
    trainer = Trainer(variants.find("gan")(digits.spec), digits, seed=0, device="cpu")
    console = Console(file=io.StringIO(), width=200)
    with Report(tmp_path, 2, digits, console) as report:
        with Path("/dev/full").open("wb") as full:
            os.dup2(full.fileno(), report.board._file.fileno())  # type: ignore[union-attr]
        for terms in itertools.islice(trainer.train(), 2):
            report.after_step(trainer, terms, now=True)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert said.count("tensorboard: cannot be written (No space left on device); the training continues") == 1
