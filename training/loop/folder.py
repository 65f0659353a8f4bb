"""The folder of a training: its checkpoint and snapshots, and the checks before they are written."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from gan_serve.errors import Failure, UsageError
from gan_serve.images.encoding import make_folder
from gan_serve.system.locking import locked
from training import distributed
from training.loop import checkpoint
from training.loop.trainer import Trainer

CHECKPOINT, _SNAPSHOTS = "checkpoint.pt", "snapshots"  # a snapshot is the average at an earlier step


def refuse_existing(folder: Path) -> None:
    """Refuse to start a training in the folder of another one.

    Raises:
        UsageError: the folder has a checkpoint; the message says of which training and step.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return
    try:
        state = checkpoint.load(path, torch.device("cpu"))
        what = (
            f"a training of {state['run']['variant']}, at step {state['step']:,} of {state['run']['recipe']['steps']:,}"
        )
    except Failure:
        what = "a checkpoint that cannot be read"
    raise UsageError(
        f"{folder} holds {what}; go on with --resume, start again with --overwrite, or choose another --output"
    )


def prepare(folder: Path, trainer: Trainer, count: int) -> None:
    """Create the folders for a checkpoint and `count` snapshots before the first step.

    Raises:
        Failure: they cannot be created, or the disk has too little space.
    """
    if distributed.rank() != 0:
        return
    make_folder(folder / _SNAPSHOTS)
    kept = sum(path.stat().st_size for path in (folder / CHECKPOINT, *snapshots(folder)) if path.exists())
    networks, weights = map(_bytes, (trainer.game.state_dict().values(), trainer.game.parameters()))
    checkpoint_size = 2 * networks + 2 * weights  # with their averages, and two moments of each weight
    # A checkpoint is written beside the one that it replaces.
    needed = 2 * checkpoint_size + count * networks - kept
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Failure(
            f"{folder}: there is no space for the checkpoints: they need {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} "
            "MB are free; delete some files, or choose another --output"
        )


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other trainings out of the folder, which is created if it does not exist.

    Raises:
        Failure: another process trains there, or the folder cannot be written.
    """
    if distributed.rank() != 0:
        yield
        return
    make_folder(folder)
    lock = folder / ".lock"
    with locked(lock, folder):
        try:
            yield
        finally:
            lock.unlink()


class CheckpointWriter:
    """Write checkpoints and snapshots; of several processes, only the first one does."""

    def __init__(self, path: Path, resumed_at: int) -> None:
        self._path = path
        self._written: int | None = resumed_at or None  # the step of this training's last checkpoint
        self._is_new = not resumed_at

    def write(self, state: checkpoint.State, snapshot: bool) -> None:
        """Write the checkpoint, and a snapshot if `snapshot` is true."""
        if distributed.rank() != 0:
            return
        checkpoint.save(self._path, state)
        self._written = state["step"]
        if self._is_new:
            for path in snapshots(self._path.parent):  # of an earlier training
                path.unlink()
            self._is_new = False
        if snapshot:
            checkpoint.save(self._path.parent / _SNAPSHOTS / f"{state['step']}.pt", _average(state))

    @contextmanager
    def explain_failure(self) -> Iterator[None]:
        """Add to a failure which checkpoint is left."""
        try:
            yield
        except Failure as failure:
            left = "no checkpoint of it is written yet"
            if self._written is not None:
                left = f"its checkpoint of step {self._written:,} is kept, and --resume goes on from there"
            raise Failure(f"{failure}; {left}") from failure


def _average(state: checkpoint.State) -> checkpoint.State:
    """Return a checkpoint without the parts that only `restore` needs, a third of its size."""
    return {name: value for name, value in state.items() if name not in ("game", "optimizers", "random")}


def snapshots(folder: Path) -> tuple[Path, ...]:
    """Return the paths of a training's snapshots, in the order of their steps."""
    paths = sorted((folder / _SNAPSHOTS).glob("*.pt"), key=lambda path: int(path.stem))
    return tuple(paths)
