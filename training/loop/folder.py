"""The folder of a training: its checkpoint and its averages on the way, and whether they can be written there."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from gan_serve.errors import Failure, UsageError
from gan_serve.images.encoding import make_folder
from training import distributed
from training.loop import checkpoint
from training.loop.trainer import Trainer

CHECKPOINT, _SNAPSHOTS = "checkpoint.pt", "snapshots"


def refuse_begun(folder: Path) -> None:
    """Refuse to start anew where a training is.

    Raises:
        UsageError: with how far it is.
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
        f"{folder} holds {what}; go on with --resume, start anew with --overwrite, or choose another --output"
    )


def prepare(folder: Path, trainer: Trainer, count: int) -> None:
    """Make the folders for a checkpoint and `count` averages on the way, before the first step.

    Raises:
        Failure: they cannot be made, or the disk is too small.
    """
    if distributed.rank() != 0:
        return
    make_folder(folder / _SNAPSHOTS)
    kept = sum(path.stat().st_size for path in (folder / CHECKPOINT, *snapshots(folder)) if path.exists())
    networks, weights = map(_bytes, (trainer.game.state_dict().values(), trainer.game.parameters()))
    whole = 2 * networks + 2 * weights  # with their averages, and two moments of each weight
    # A checkpoint is written beside the one that it replaces.
    needed = 2 * whole + count * networks - kept
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Failure(
            f"{folder}: there is no space for the checkpoints: they need {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} "
            "MB are free; free some, or choose another --output"
        )


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class Keeper:
    """Writes checkpoints; the first process of several does."""

    def __init__(self, path: Path, begun: int) -> None:
        self._path = path
        self._kept: int | None = begun or None  # the step of the last checkpoint of this training
        self._anew = not begun

    def keep(self, state: checkpoint.State, snapshot: bool) -> None:
        """Write the checkpoint, and the average on the way if it is one to keep."""
        if distributed.rank() != 0:
            return
        checkpoint.save(self._path, state)
        self._kept = state["step"]
        if self._anew:
            for path in snapshots(self._path.parent):  # of an earlier training
                path.unlink()
            self._anew = False
        if snapshot:
            checkpoint.save(self._path.parent / _SNAPSHOTS / f"{state['step']}.pt", _average(state))

    @contextmanager
    def telling(self) -> Iterator[None]:
        """A failure within it says what is left of the training."""
        try:
            yield
        except Failure as failure:
            left = "no checkpoint of it is written yet"
            if self._kept is not None:
                left = f"its checkpoint of step {self._kept:,} is kept, and --resume goes on from there"
            raise Failure(f"{failure}; {left}") from failure


def _average(state: checkpoint.State) -> checkpoint.State:
    """A checkpoint without what only `restore` needs, three times as small."""
    return {name: value for name, value in state.items() if name not in ("game", "optimizers", "random")}


def snapshots(folder: Path) -> tuple[Path, ...]:
    """In the order of their steps."""
    paths = sorted((folder / _SNAPSHOTS).glob("*.pt"), key=lambda path: int(path.stem))
    return tuple(paths)
