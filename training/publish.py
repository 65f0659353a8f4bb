"""A finished training -> models/<name>/: the ONNX file, its scores, its card and its sample."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from torch import Tensor

from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.media import make_folder, write_atomic
from gan_serve.metadata import PROPERTY, ModelMetadata
from gan_serve.repository import Model, Repository
from gan_serve.tensors import Image
from training import before_after, cards
from training.dataset import to_signed
from training.evaluate import evaluate, learning_curve, load_data, trial_of
from training.export import describe, export, with_property
from training.gan import Trial
from training.runs import Trained

SAMPLE_COLUMNS, SAMPLE_ROWS, SAMPLE_SCALE = 10, 10, 2
TRAVERSAL_ROWS = 9


def export_all(trained: Trained, models: Path, *, name: str | None = None, version: int = 1) -> list[Path]:
    """Export every servable of a training into a folder of models; returns the ONNX files.

    Raises:
        UsageError: one name was given for several servables.
        Failure: an export differs from PyTorch; nothing of it is written.
    """
    servables = trained.gan.servables()
    if name and len(servables) > 1:
        raise UsageError(f"{trained.variant} ships {len(servables)} models, which cannot all be called {name}")
    exports = []
    for part, servable in servables.items():
        metadata = describe(trained, part, servable, name=name, version=version)
        exports.append((metadata, export(servable, metadata)))
    return [_write(models, metadata, content) for metadata, content in exports]


def evaluate_in_place(
    models: Path, name: str, source: str | None = None, trained: Trained | None = None
) -> ModelMetadata:
    """Score a model; writes the scores into its file, and the card and the sample that belong to the file.

    With the training that it came from, its learning curve is measured too.
    """
    model = Repository(models).find(name)
    scored = evaluate(model, source)
    if trained:
        scored = replace(scored, learning_curve=learning_curve(model, trained))
    _write(models, scored, with_property(model.content, PROPERTY, scored.to_json()))
    write_atomic(models / scored.name / "README.md", cards.card(scored).encode())
    trial = trial_of(scored, source)
    if trial:
        write_atomic(models / scored.name / "sample.png", before_after.picture(model, trial))
    elif scored.image_outputs:
        _pictures(Repository(models).find(scored.name), models / scored.name)
    if scored.image_inputs:
        _examples(_given(scored, trial, source), scored, models / scored.name / "examples")
    return scored


def _given(metadata: ModelMetadata, trial: Trial | None, source: str | None) -> Tensor:
    """Images of the test set to try a model with; whole ones, where a mask says what is hidden of them."""
    if trial is None:
        return to_signed(load_data(metadata, source, "test").images)
    is_masked = any(tensor.kind == "mask" for tensor in metadata.image_inputs)
    return trial.truth if is_masked else trial.inputs["image"]


def _examples(images: Tensor, metadata: ModelMetadata, folder: Path) -> None:
    """What the demo offers to try the model with."""
    (kind,) = (tensor for tensor in metadata.image_inputs if isinstance(tensor, Image))
    make_folder(folder)
    for number, content in enumerate(before_after.examples(images, kind), 1):
        write_atomic(folder / f"{number}.png", content)


def score_all(trained: Trained) -> list[ModelMetadata]:
    """Export and evaluate every servable of a training; nothing is kept but the metadata with the scores."""
    with TemporaryDirectory() as folder:
        export_all(trained, Path(folder))
        models, _ = Repository(Path(folder)).read_all()
        return [evaluate(model, trained.source) for model in models]


def publish(trained: Trained, models: Path, *, name: str | None = None, version: int = 1) -> list[Path]:
    """Export, evaluate and describe; only when all of it succeeded, move it to `models`."""
    with TemporaryDirectory() as folder:
        staging = Path(folder).resolve()
        for path in export_all(trained, staging, name=name, version=version):
            evaluate_in_place(staging, path.parent.parent.name, trained.source, trained)
        files = sorted(path for path in staging.rglob("*") if path.is_file())
        for path in files:
            target = models / path.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, path.read_bytes())
    return [models / path.relative_to(staging) for path in files]


def _pictures(model: Model, folder: Path) -> None:
    """The pictures in the card, of seed 0: a row for each label, and for each number that can be turned, its range."""
    generator, label = Generator(model), model.metadata.label
    sweeps: dict[str, dict[str, Any]] = {"sample": {label.name: label.values} if label else {}}
    for scalar in model.metadata.scalars:
        sweeps[scalar.name] = {scalar.name: np.linspace(scalar.low, scalar.high, TRAVERSAL_ROWS)}
    for name, sweep in sweeps.items():
        count = SAMPLE_COLUMNS if sweep else SAMPLE_COLUMNS * SAMPLE_ROWS
        generator.generate(count, seed=0, **sweep).save(folder / f"{name}.png", grid=True, scale=SAMPLE_SCALE)


def _write(models: Path, metadata: ModelMetadata, content: bytes) -> Path:
    path = models / metadata.name / str(metadata.version) / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    return path
