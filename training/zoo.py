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
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gan_serve.cpus import cpu_count
from gan_serve.errors import Failure
from gan_serve.interrupt import noted_signals
from gan_serve.metadata import ModelMetadata
from gan_serve.repository import Repository
from training import checkpoint, variants
from training.export import usual_name
from training.gan import ImageSpec
from training.runs import CHECKPOINT

POLL_SECONDS = 0.2
STOP_SECONDS = 60  # what a training may take to write its checkpoint
_STEP = re.compile(r"step (\d+) of (\d+)")


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


def publication(name: str, runs: Path, models: Path, options: Sequence[str] = ()) -> Task:
    """A variant's training, and its publication."""
    folder = runs / name
    return Task(name, name, folder, options, ("publish", name, "--output", folder, "--models", models))


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
    bar: TaskID
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
    with noted_signals() as received, _progress() as progress:
        while (waiting or running) and not received and time.monotonic() < deadline:
            for place in sorted(places.keys() - {job.place for job in running})[: len(waiting)]:
                running.append(_start(waiting.popleft(), device, place, places[place], progress))
            running = [job for job in running if _goes_on(job, progress, outcome)]
            time.sleep(POLL_SECONDS)
        _stop(running)
    outcome.signal = received[0] if received else None
    outcome.unfinished += [*(job.task.name for job in running), *(task.name for task in waiting)]
    return outcome


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _places(device: str, jobs: int | None) -> dict[int, int | None]:
    """Where a job can be, by its number, and the core it has there; None where cores cannot be assigned."""
    cores = sorted(os.sched_getaffinity(0))[: cpu_count()] if hasattr(os, "sched_setaffinity") else [None]
    alone = 1 if device.startswith("cuda") else len(cores)
    return {place: cores[place % len(cores)] for place in range(jobs or alone)}


def _start(task: Task, device: str, place: int, core: int | None, progress: Progress) -> _Job:
    task.folder.mkdir(parents=True, exist_ok=True)
    log = task.folder / "log.txt"
    log.write_bytes(b"")
    bar = progress.add_task(f"{task.name}: training", total=None)
    return _Job(task, place, core, log, bar, ending=False, process=_run(task.training(device), log, core))


def _run(command: Sequence[str], log: Path, core: int | None) -> subprocess.Popen[bytes]:
    environment = os.environ | ({} if core is None else {"OMP_NUM_THREADS": "1"})
    with log.open("ab") as file:
        # A group of its own: Ctrl-C reaches this process alone, which then stops the trainings one by one.
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, process_group=0)
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process


def _goes_on(job: _Job, progress: Progress, outcome: Outcome) -> bool:
    """Look after one job; False when it has come to its end."""
    if steps := _STEP.findall(job.log.read_text(errors="replace")):
        progress.update(job.bar, completed=int(steps[-1][0]), total=int(steps[-1][1]))
    if job.process.poll() is None:
        return True
    name, succeeded = job.task.name, job.process.returncode == 0
    if succeeded and not job.ending:
        job.ending, job.process = True, _run(_command(*job.task.ending), job.log, job.core)
        progress.update(job.bar, description=f"{name}: {job.task.ending[0]}")
        return True
    if succeeded:
        outcome.finished.append(name)
    else:
        outcome.failed[name] = job.log
    progress.update(job.bar, description=f"{name}: {'done' if succeeded else 'failed'}")
    return False


def _stop(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.process.terminate()
    for job in jobs:
        try:
            job.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            job.process.kill()
            job.process.wait()
