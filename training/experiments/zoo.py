"""Run many trainings from scratch and publish or score each, in a process and on a core of its own.

The threads of small networks spend much of their time waiting for each other: two trainings with a core each are half
as fast again as one with two cores. On a GPU they run one after the other by default.
"""

import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gan_serve.errors import Failure
from gan_serve.images.encoding import make_folder, write_atomic
from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Repository
from gan_serve.system.cpus import cpu_count
from gan_serve.system.interrupt import deferred_signals
from training import progress, variants
from training.data.catalog import SOURCES
from training.data.dataset import DataSpec
from training.export import describe, usual_name
from training.loop import checkpoint
from training.loop.folder import CHECKPOINT
from training.loop.replacing import check_model
from training.loop.runs import load_trained
from training.publishing.publish import file_of

POLL_SECONDS = 0.2
STOP_SECONDS = 60  # that a training may take to write its checkpoint
_STEP = re.compile(r"step ([\d,]+) of ([\d,]+)")


@dataclass(frozen=True)
class TrainingTask:
    """One training from scratch, and the command that publishes or scores it."""

    name: str
    variant: str
    folder: Path  # of the training
    options: Sequence[str]  # of the training
    ending: Sequence[object]  # the arguments of `python -m training` after the training

    def training(self, device: str) -> list[str]:
        """Return the command that trains, from the checkpoint if there is one."""
        start = ("--resume",) if (self.folder / CHECKPOINT).exists() else self.options
        return _command("train", self.variant, "--output", self.folder, "--device", device, *start)


def publication(
    name: str, runs: Path, models: Path, options: Sequence[str] = (), *, replace: bool = False
) -> TrainingTask:
    """Return the task that trains and publishes a variant.

    Raises:
        UsageError: it would replace the models of another training.
    """
    folder = runs / name
    if not replace:
        _check_models(name, folder, models)
    ending = ("publish", name, "--output", folder, "--models", models, *(["--replace"] if replace else []))
    return TrainingTask(name, name, folder, options, ending)


def _check_models(name: str, folder: Path, models: Path) -> None:
    variant, recipe = variants.training(name)
    trained = load_trained(folder, variant) if (folder / CHECKPOINT).exists() else None
    source = SOURCES[recipe.dataset]
    spec = trained.gan.spec if trained else DataSpec.of_images(source.channels, source.size, source.classes or ("one",))
    parts = variants.find(variant)(spec, recipe).servables()
    for part, servable in parts.items():
        shipped = name if name != variant else usual_name(variant, part)
        now = describe(trained, part, servable, name=shipped) if trained else None
        check_model(file_of(models, shipped), now, "choose other --models")


def is_published(name: str, runs: Path, models: Path) -> bool:
    """Return whether the training is finished, and each of its models is published with its scores."""
    try:
        state = checkpoint.load(runs / name / CHECKPOINT, torch.device("cpu"))
    except Failure:  # there is none, or the training will report what is wrong with it
        return False
    if state["step"] < state["run"]["recipe"]["steps"] or not models.is_dir():
        return False
    repository = Repository(models)
    shipped = _shipped(name, state)
    return all(model in repository.names and _is_result(repository.find(model).metadata, state) for model in shipped)


def _shipped(name: str, state: checkpoint.State) -> list[str]:
    """Return the names of a training's models."""
    variant, recipe = variants.training(name)
    if name != variant:
        return [name]
    return [
        usual_name(variant, part)
        for part in variants.find(variant)(DataSpec.from_document(state["spec"]), recipe).servables()
    ]


def _is_result(model: ModelMetadata, state: checkpoint.State) -> bool:
    """Return whether a model was published from this checkpoint."""
    training = model.training
    same = (training.steps, training.seed, training.commit) == (state["step"], state["run"]["seed"], state["commit"])
    return same and bool(model.scores)


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "training", *map(str, arguments)]


@dataclass
class Summary:
    """How every task ended."""

    finished: list[str] = field(default_factory=list)
    failed: dict[str, Path] = field(default_factory=dict)  # with the log of each
    unfinished: list[str] = field(default_factory=list)
    signal: int | None = None  # that stopped the run


@dataclass
class _RunningTask:
    task: TrainingTask
    place: int
    core: int | None
    log: Path
    activity: progress.Activity
    is_ending: bool
    process: subprocess.Popen[bytes]


def run_tasks(
    tasks: Iterable[TrainingTask], device: str, *, jobs: int | None = None, minutes: float | None = None
) -> Summary:
    """Run all tasks, `jobs` at a time; when the minutes are over, or at a signal, trainings write checkpoints and stop.

    A later call resumes them. By default, one task runs on each core, or one on a GPU.
    """
    places = _places(device, jobs)
    summary, waiting = Summary(), deque(tasks)
    deadline = time.monotonic() + 60 * (float("inf") if minutes is None else minutes)
    running: list[_RunningTask] = []
    with deferred_signals() as received:
        while (waiting or running) and not received and time.monotonic() < deadline:
            for place in sorted(places.keys() - {each.place for each in running})[: len(waiting)]:
                running.append(_start(waiting.popleft(), device, place, places[place]))
            running = [each for each in running if _is_running(each, summary)]
            time.sleep(POLL_SECONDS)
        _stop(running)
    summary.signal = received[0] if received else None
    summary.unfinished += [*(each.task.name for each in running), *(task.name for task in waiting)]
    return summary


def _places(device: str, jobs: int | None) -> dict[int, int | None]:
    """Return the core of each place for a task; None where cores cannot be assigned."""
    cores = sorted(os.sched_getaffinity(0))[: cpu_count()] if hasattr(os, "sched_setaffinity") else [None]
    default = 1 if device.startswith("cuda") else len(cores)
    return {place: cores[place % len(cores)] for place in range(jobs or default)}


def _start(task: TrainingTask, device: str, place: int, core: int | None) -> _RunningTask:
    make_folder(task.folder)
    log = task.folder / "log.txt"
    write_atomic(log, b"")
    activity = progress.SHARED.begin(f"{task.name}, training", unit="step")
    process = _run(task.training(device), log, core)
    return _RunningTask(task, place, core, log, activity, is_ending=False, process=process)


def _run(command: Sequence[str], log: Path, core: int | None) -> subprocess.Popen[bytes]:
    environment = os.environ | ({} if core is None else {"OMP_NUM_THREADS": "1"})
    with log.open("ab") as file:
        # In its own group: Ctrl-C reaches only this process, which then stops the trainings one by one.
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, process_group=0)
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process


def _is_running(running: _RunningTask, summary: Summary) -> bool:
    """Update one task, and start its ending after its training; return False when both are over."""
    if not running.is_ending and (steps := _STEP.findall(running.log.read_text(errors="replace"))):
        done, total = (int(number.replace(",", "")) for number in steps[-1])
        running.activity.update(done, total=total)
    if running.process.poll() is None:
        return True
    name, succeeded = running.task.name, running.process.returncode == 0
    if succeeded and not running.is_ending:
        running.is_ending, running.process = True, _run(_command(*running.task.ending), running.log, running.core)
        progress.SHARED.end(running.activity)
        running.activity = progress.SHARED.begin(f"{name}, {running.task.ending[0]}")
        return True
    progress.SHARED.end(running.activity)
    progress.say(f"{name}: {'done' if succeeded else 'failed'}")
    if succeeded:
        summary.finished.append(name)
    else:
        summary.failed[name] = running.log
    return False


def _stop(tasks: Sequence[_RunningTask]) -> None:
    for each in tasks:
        progress.SHARED.end(each.activity)
        each.process.terminate()
    for each in tasks:
        try:
            each.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()
