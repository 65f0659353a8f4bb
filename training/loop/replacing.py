"""Check before long work that its results can be written, and that they replace nothing else."""

import tempfile
from pathlib import Path

from gan_serve.errors import Failure, UsageError
from gan_serve.metadata import PROPERTY, ModelMetadata, Training, parse_metadata
from gan_serve.onnxfile import read_property
from training.gan import CHANGEABLE


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to; create nothing yet.

    Raises:
        Failure: it cannot be written to.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise Failure(f"{folder}: cannot be written ({error.strerror})") from None


def check_new(path: Path, remedy: str, *, replace: bool) -> None:
    """Refuse a file that cannot be written, and without `replace` a file that exists.

    Raises:
        UsageError: it exists; `remedy` names the alternative to --replace.
        Failure: it cannot be written.
    """
    check_writable(path.parent)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.exists() and not replace:
        raise UsageError(f"{path} is there already; replace it with --replace, or {remedy}")


def check_model(path: Path, metadata: ModelMetadata | None, remedy: str) -> None:
    """Refuse to replace a model of another training or other data with the one that `metadata` describes.

    Raises:
        UsageError: such a model exists; `remedy` names the alternative to --replace.
    """
    if not path.exists():
        return
    before = _read_metadata(path)
    if before is None or metadata is None or not is_same_training(before, metadata):
        raise UsageError(f"{path} {_origin(before)}; replace it with --replace, or {remedy}")


def is_same_training(before: ModelMetadata, now: ModelMetadata) -> bool:
    """Return whether a model comes from the same or an earlier step of the same training."""
    return (before.variant, before.data) == (now.variant, now.data) and continues(before.training, now.training)


def continues(before: Training, now: Training) -> bool:
    """Return whether it is the same training at the same or a later step."""
    fixed = [_fixed_settings(training) for training in (before, now)]
    as_far = now.steps >= before.steps and now.duration_seconds >= before.duration_seconds
    same_moment = now.steps > before.steps or now.duration_seconds == before.duration_seconds
    continued = now.commit.startswith(before.commit) and now.hardware.startswith(before.hardware)
    return fixed[0] == fixed[1] and as_far and same_moment and continued


def _fixed_settings(training: Training) -> object:
    """Return the settings that a resumed training cannot change."""
    recipe = {name: value for name, value in training.recipe.items() if name not in CHANGEABLE}
    return training.seed, training.precision, recipe


def _read_metadata(path: Path) -> ModelMetadata | None:
    try:
        content = path.read_bytes()
        return parse_metadata(read_property(content, PROPERTY, str(path)), str(path))
    except Failure:
        return None


def _origin(metadata: ModelMetadata | None) -> str:
    if metadata is None:
        return "was not made by a training"
    return (
        f"was made by another training: {metadata.variant} on {metadata.data.images:,} images of {metadata.data.name}, "
        f"{metadata.training.steps:,} steps with seed {metadata.training.seed}"
    )
