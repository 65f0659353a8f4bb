"""Turn a finished training into models/<name>/: the ONNX file, its scores, its card and its sample."""

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.images.encoding import make_folder, write_atomic
from gan_serve.metadata import PROPERTY, ModelMetadata
from gan_serve.repository import Model, Repository
from gan_serve.result import grid_columns
from gan_serve.system.interrupt import unfinished
from training import progress
from training.data.dataset import to_signed
from training.evaluation.evaluate import check_scorable, evaluate, evaluation_case, learning_curve, load_data
from training.export import describe, export, with_property
from training.gan import Servable
from training.loop import replacing
from training.loop.runs import Trained
from training.publishing import cards, samples
from training.scoring import EvaluationCase

SAMPLE_COLUMNS, SAMPLE_ROWS, SAMPLE_SCALE = 10, 10, 2
TRAVERSAL_ROWS = 9


def export_all(
    trained: Trained, models: Path, *, name: str | None = None, version: int = 1, replace: bool = False
) -> list[Path]:
    """Export every servable of a training into a folder of models; return the ONNX files.

    Raises:
        UsageError: `name` is set for several servables, or would replace another training's model.
        Failure: an export differs from PyTorch, or the folder cannot be written; then nothing is written.
    """
    described = describe_all(trained, models, name=name, version=version, replace=replace)
    exports = []
    for servable, metadata in described:
        with progress.working(f"export of {metadata.name}"):
            exports.append((metadata, export(servable, metadata)))
    return [_write(models, metadata, content) for metadata, content in exports]


def describe_all(
    trained: Trained, models: Path, *, name: str | None = None, version: int = 1, replace: bool = False
) -> list[tuple[Servable, ModelMetadata]]:
    """Return the servables to export and their metadata; raises as `export_all` does, but before any work."""
    servables = trained.gan.servables()
    if name and len(servables) > 1:
        raise UsageError(f"{trained.variant} ships {len(servables)} models, so they cannot all be called {name}")
    replacing.check_writable(models)
    described = [
        (servable, describe(trained, part, servable, name=name, version=version))
        for part, servable in servables.items()
    ]
    for _, metadata in [] if replace else described:
        replacing.check_model(file_of(models, metadata.name, version), metadata, "choose another --name or --models")
    return described


def evaluate_in_place(
    models: Path, name: str, source: str | None = None, trained: Trained | None = None
) -> ModelMetadata:
    """Score a model; write the scores into its file, and the card and the sample beside it.

    With the training that it came from, its learning curve is measured too.
    """
    model = Repository(models).find(name)
    scored = evaluate(model, source)
    if trained:
        scored = dataclasses.replace(scored, learning_curve=learning_curve(model, trained, scored.scores))
    _write(models, scored, with_property(model.content, PROPERTY, scored.to_json()))
    write_atomic(models / scored.name / "README.md", cards.card(scored).encode())
    case = evaluation_case(scored, source)
    folder, images = models / scored.name, _example_inputs(scored, case, source) if scored.image_inputs else None
    if case:
        write_atomic(folder / "sample.png", samples.image(model, case))
    elif scored.drawn_outputs and images is not None:
        write_atomic(folder / "sample.png", samples.outputs(model, images))
    elif scored.drawn_outputs:
        _write_samples(Repository(models).find(scored.name), folder)
    if images is not None:
        _write_examples(images, scored, folder / "examples")
    return scored


def _example_inputs(metadata: ModelMetadata, case: EvaluationCase | None, source: str | None) -> Tensor:
    """Return images of the test set to try a model with; whole ones for a model that takes a mask."""
    if case is None:
        return to_signed(load_data(metadata, source, "test").images)
    return case.truth if metadata.masks else case.inputs["image"]


def _write_examples(images: Tensor, metadata: ModelMetadata, folder: Path) -> None:
    """Write the images that the demo offers to try the model with, as its first image input."""
    kind, *_ = metadata.input_images
    make_folder(folder)
    for number, content in enumerate(samples.examples(images, kind), 1):
        write_atomic(folder / f"{number}.png", content)


def score_all(trained: Trained) -> list[ModelMetadata]:
    """Export and evaluate every servable of a training; return the metadata with the scores and keep no file."""
    with _temporary_folder() as folder:
        export_all(trained, folder)
        models, _ = Repository(folder).read_all()
        return [evaluate(model, trained.source) for model in models]


def publish(
    trained: Trained, models: Path, *, name: str | None = None, version: int = 1, replace: bool = False
) -> list[Path]:
    """Export, evaluate and describe a training's models; move them to `models` only when all succeeded.

    Raises:
        UsageError: as `export_all`, or the data has no evaluation classifier.
        Failure: as `export_all`.
    """
    describe_all(trained, models, name=name, version=version, replace=replace)
    check_scorable(trained)
    make_folder(models)
    # In the same file system as `models`, so that moving the files cannot fail half-way on a full disk.
    with _temporary_folder(models) as staging:
        for path in export_all(trained, staging, name=name, version=version):
            evaluate_in_place(staging, path.parent.parent.name, trained.source, trained)
        files = sorted(path for path in staging.rglob("*") if path.is_file())
        targets = [models / path.relative_to(staging) for path in files]
        for target in targets:
            make_folder(target.parent)
        for path, target in zip(files, targets, strict=True):
            path.replace(target)
    return targets


@contextmanager
def _temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Create a folder that is removed afterwards, even after a signal."""
    with tempfile.TemporaryDirectory(prefix=".publish-", dir=parent) as folder, unfinished(Path(folder)):
        yield Path(folder).resolve()


def _write_samples(model: Model, folder: Path) -> None:
    """Write the images of the card, with seed 0: a row for each label, and for each scalar a sweep of its range."""
    generator, label = Generator(model), model.metadata.label
    sweeps: dict[str, dict[str, Any]] = {"sample": {label.name: label.values} if label else {}}
    for scalar in model.metadata.scalars:
        sweeps[scalar.name] = {scalar.name: np.linspace(scalar.low, scalar.high, TRAVERSAL_ROWS)}
    for name, sweep in sweeps.items():
        count = SAMPLE_COLUMNS if sweep else SAMPLE_COLUMNS * SAMPLE_ROWS
        result = generator.generate(count, seed=0, **sweep)
        content = result.encode("png", scale=SAMPLE_SCALE, columns=grid_columns(result.request))
        write_atomic(folder / f"{name}.png", content)


def file_of(models: Path, name: str, version: int = 1) -> Path:
    """Return the path of a model in a folder of models."""
    return models / name / str(version) / "model.onnx"


def _write(models: Path, metadata: ModelMetadata, content: bytes) -> Path:
    path = file_of(models, metadata.name, metadata.version)
    make_folder(path.parent)
    write_atomic(path, content)
    return path
