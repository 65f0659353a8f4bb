"""What may be written, and over what: looked at before work that may take hours, not after it."""

import tempfile
from pathlib import Path

from gan_serve.errors import Failure, UsageError
from gan_serve.metadata import PROPERTY, ModelMetadata, Training, parse_metadata
from gan_serve.onnxfile import read_property
from training.gan import CHANGEABLE


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be written; nothing is made yet.

    Raises:
        Failure: with the reason.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise Failure(f"{folder}: cannot be written ({error.strerror})") from None


def check_new(path: Path, remedy: str, *, replace: bool) -> None:
    """Refuse a file that is there already, unless it is to be replaced, and one that cannot be written.

    Raises:
        UsageError: it is there; the remedy says what else can be done.
        Failure: it cannot be written.
    """
    check_writable(path.parent)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.exists() and not replace:
        raise UsageError(f"{path} is there already; replace it with --replace, or {remedy}")


def check_model(path: Path, metadata: ModelMetadata | None, remedy: str) -> None:
    """Refuse to replace a model that another training, or other data, has made; `metadata` is what would be written.

    Raises:
        UsageError: such a model is there; the remedy says what else can be done.
    """
    if not path.exists():
        return
    before = _described(path)
    if before is None or metadata is None or not is_of(before, metadata):
        raise UsageError(f"{path} {_made_by(before)}; replace it with --replace, or {remedy}")


def is_of(before: ModelMetadata, now: ModelMetadata) -> bool:
    """Whether a model is what the same training had made when it had come as far, or less."""
    return (before.variant, before.data) == (now.variant, now.data) and goes_on(before.training, now.training)


def goes_on(before: Training, now: Training) -> bool:
    """Whether it is the same training, as far as before, or further."""
    kept = [_lasting(training) for training in (before, now)]
    as_far = now.steps >= before.steps and now.duration_seconds >= before.duration_seconds
    same_moment = now.steps > before.steps or now.duration_seconds == before.duration_seconds
    continued = now.commit.startswith(before.commit) and now.hardware.startswith(before.hardware)
    return kept[0] == kept[1] and as_far and same_moment and continued


def _lasting(training: Training) -> object:
    """What a training cannot change on its way."""
    recipe = {name: value for name, value in training.recipe.items() if name not in CHANGEABLE}
    return training.seed, training.precision, recipe


def _described(path: Path) -> ModelMetadata | None:
    try:
        content = path.read_bytes()
        return parse_metadata(read_property(content, PROPERTY, str(path)), str(path))
    except Failure:
        return None


def _made_by(metadata: ModelMetadata | None) -> str:
    if metadata is None:
        return "was not made by a training"
    return (
        f"was made by another training: {metadata.variant} on {metadata.data.images:,} images of {metadata.data.name}, "
        f"{metadata.training.steps:,} steps with seed {metadata.training.seed}"
    )
