"""Save and resume a training, bit-exact on a CPU in float32."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from gan_serve.errors import Failure
from gan_serve.images.encoding import make_folder, write_atomic

FORMAT = 1  # increase it when the code can no longer read older files
State = dict[str, Any]  # nested dicts and lists of tensors and plain values


def save(path: Path, state: State) -> None:
    """Write the state atomically: after any failure, the old file or the new one is there, and is whole.

    Raises:
        Failure: it cannot be written.
    """
    content = io.BytesIO()
    torch.save(state | {"format": FORMAT}, content)
    make_folder(path.parent)  # it may have been removed since the training started
    write_atomic(path, content.getvalue())


def load(path: Path, device: torch.device) -> State:
    """Read a state that `save` wrote, without executing anything in the file.

    Raises:
        Failure: the file is missing, damaged, or of another version.
    """
    try:
        state: State = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise Failure(f"no checkpoint at {path}; train first") from None
    except Exception as error:  # a damaged archive can raise nearly anything
        raise Failure(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(state, dict) or state.get("format", FORMAT) != FORMAT:
        raise _other_version(path)
    return state


@contextmanager
def filling_networks(path: Path) -> Iterator[None]:
    """Report a failure to load the file's weights into networks.

    Raises:
        Failure: the weights are those of other networks.
    """
    try:
        yield
    except RuntimeError as error:  # what `load_state_dict` raises
        raise _other_version(path) from error


def _other_version(path: Path) -> Failure:
    return Failure(f"{path}: a checkpoint of another version of this code; train again, or go back to that version")


def random_state() -> State:
    """Return the state of PyTorch's random generators: the CPU's, and that of the GPU in use."""
    state: State = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: State) -> None:
    """Set the random generators to a state from `random_state`."""
    torch.set_rng_state(state["cpu"].cpu())
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"].cpu())
