"""Many trainings from scratch to what is made of them, each in a process of its own, on a core of its own.

Networks of this size spend much of their time waiting for each other's threads: two trainings with a core each do half
as much again as one with two cores. On a GPU they take turns, if not told that it has room for several.
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
from training import variants
from training.data.catalog import SOURCES
from training.data.dataset import ImageSpec
from training.export import describe, usual_name
from training.loop import checkpoint, progress
from training.loop.folder import CHECKPOINT
from training.loop.replacing import check_model
from training.loop.runs import load_trained
from training.publishing.publish import file_of

POLL_SECONDS = 0.2
STOP_SECONDS = 60  # what a training may take to write its checkpoint
_STEP = re.compile(r"step ([\d,]+) of ([\d,]+)")


@dataclass(frozen=True)
class Task:
    """One training from scratch, and the command that makes something of it."""

    name: str
    variant: str
    folder: Path  # of the training
    options: Sequence[str]  # of the training
    ending: Sequence[object]  # the arguments of `python -m training` when it is over

    def training(self, device: str) -> list[str]:
        """The command that trains, from the checkpoint where there is one."""
        start = ("--resume",) if (self.folder / CHECKPOINT).exists() else self.options
        return _command("train", self.variant, "--output", self.folder, "--device", device, *start)


def publication(name: str, runs: Path, models: Path, options: Sequence[str] = (), *, replace: bool = False) -> Task:
    """A variant's training, and its publication.

    Raises:
        UsageError: it would replace the models of another training.
    """
    folder = runs / name
    if not replace:
        _check_models(name, folder, models)
    ending = ("publish", name, "--output", folder, "--models", models, *(["--replace"] if replace else []))
    return Task(name, name, folder, options, ending)


def _check_models(name: str, folder: Path, models: Path) -> None:
    variant, recipe = variants.training(name)
    trained = load_trained(folder, variant) if (folder / CHECKPOINT).exists() else None
    source = SOURCES[recipe.dataset]
    spec = trained.gan.spec if trained else ImageSpec(source.channels, source.size, source.classes or ("one",))
    parts = variants.find(variant)(spec, recipe).servables()
    for part, servable in parts.items():
        shipped = name if name != variant else usual_name(variant, part)
        now = describe(trained, part, servable, name=shipped) if trained else None
        check_model(file_of(models, shipped), now, "choose other --models")


def is_published(name: str, runs: Path, models: Path) -> bool:
    """Whether the training is over, and each of the models that it ships is what came out of it, with its scores."""
    try:
        state = checkpoint.load(runs / name / CHECKPOINT, torch.device("cpu"))
    except Failure:  # there is none; or the training will say what is wrong with it
        return False
    if state["step"] < state["run"]["recipe"]["steps"] or not models.is_dir():
        return False
    repository = Repository(models)
    shipped = _shipped(name, state)
    return all(model in repository.names and _is_of(repository.find(model).metadata, state) for model in shipped)


def _shipped(name: str, state: checkpoint.State) -> list[str]:
    """What the models of a training are called."""
    variant, recipe = variants.training(name)
    if name != variant:
        return [name]
    return [
        usual_name(variant, part) for part in variants.find(variant)(ImageSpec(**state["spec"]), recipe).servables()
    ]


def _is_of(model: ModelMetadata, state: checkpoint.State) -> bool:
    """Whether a model has been published as what a training was when its checkpoint was written."""
    made = model.training
    same = (made.steps, made.seed, made.commit) == (state["step"], state["run"]["seed"], state["commit"])
    return same and bool(model.scores)


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "training", *map(str, arguments)]


@dataclass
class Outcome:
    """What became of every task."""

    finished: list[str] = field(default_factory=list)
    failed: dict[str, Path] = field(default_factory=dict)  # with the log that says why
    unfinished: list[str] = field(default_factory=list)
    signal: int | None = None  # that stopped it


@dataclass
class _Job:
    task: Task
    place: int
    core: int | None
    log: Path
    work: progress.Work
    ending: bool
    process: subprocess.Popen[bytes]


def carry_out(tasks: Iterable[Task], device: str, *, jobs: int | None = None, minutes: float | None = None) -> Outcome:
    """Do all tasks, so many at a time; when the minutes are over, or at a signal, trainings leave checkpoints and end.

    Called again, it goes on where it stopped. As many at a time as there are cores, if not told; one on a GPU.
    """
    places = _places(device, jobs)
    outcome, waiting = Outcome(), deque(tasks)
    deadline = time.monotonic() + 60 * (float("inf") if minutes is None else minutes)
    running: list[_Job] = []
    with deferred_signals() as received:
        while (waiting or running) and not received and time.monotonic() < deadline:
            for place in sorted(places.keys() - {job.place for job in running})[: len(waiting)]:
                running.append(_start(waiting.popleft(), device, place, places[place]))
            running = [job for job in running if _goes_on(job, outcome)]
            time.sleep(POLL_SECONDS)
        _stop(running)
    outcome.signal = received[0] if received else None
    outcome.unfinished += [*(job.task.name for job in running), *(task.name for task in waiting)]
    return outcome


def _places(device: str, jobs: int | None) -> dict[int, int | None]:
    """Where a job can be, by its number, and the core it has there; None where cores cannot be assigned."""
    cores = sorted(os.sched_getaffinity(0))[: cpu_count()] if hasattr(os, "sched_setaffinity") else [None]
    alone = 1 if device.startswith("cuda") else len(cores)
    return {place: cores[place % len(cores)] for place in range(jobs or alone)}


def _start(task: Task, device: str, place: int, core: int | None) -> _Job:
    make_folder(task.folder)
    log = task.folder / "log.txt"
    write_atomic(log, b"")
    work = progress.SHARED.begin(f"{task.name}, training", unit="step")
    return _Job(task, place, core, log, work, ending=False, process=_run(task.training(device), log, core))


def _run(command: Sequence[str], log: Path, core: int | None) -> subprocess.Popen[bytes]:
    environment = os.environ | ({} if core is None else {"OMP_NUM_THREADS": "1"})
    with log.open("ab") as file:
        # A group of its own: Ctrl-C reaches this process alone, which then stops the trainings one by one.
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, process_group=0)
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process


def _goes_on(job: _Job, outcome: Outcome) -> bool:
    """Look after one job; False when it has come to its end."""
    if not job.ending and (steps := _STEP.findall(job.log.read_text(errors="replace"))):
        done, total = (int(number.replace(",", "")) for number in steps[-1])
        job.work.update(done, total=total)
    if job.process.poll() is None:
        return True
    name, succeeded = job.task.name, job.process.returncode == 0
    if succeeded and not job.ending:
        job.ending, job.process = True, _run(_command(*job.task.ending), job.log, job.core)
        progress.SHARED.end(job.work)
        job.work = progress.SHARED.begin(f"{name}, {job.task.ending[0]}")
        return True
    progress.SHARED.end(job.work)
    progress.say(f"{name}: {'done' if succeeded else 'failed'}")
    if succeeded:
        outcome.finished.append(name)
    else:
        outcome.failed[name] = job.log
    return False


def _stop(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        progress.SHARED.end(job.work)
        job.process.terminate()
    for job in jobs:
        try:
            job.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            job.process.kill()
            job.process.wait()
