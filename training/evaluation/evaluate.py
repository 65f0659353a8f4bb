"""Score an exported model through ONNX Runtime, by the protocol for what it does."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from gan_serve.errors import UsageError
from gan_serve.metadata import Milestone, ModelMetadata, Score
from gan_serve.repository import Model
from training import export, variants
from training.data import loading
from training.data.catalog import SOURCES, STACKED_MNIST
from training.data.dataset import Dataset
from training.evaluation import anomaly_detection, classification, generation, super_resolution, translation
from training.evaluation.classifier import EvaluationClassifier
from training.gan import GAN, EvaluationCase, Recipe, Servable
from training.loop import progress
from training.loop.runs import Trained, load_snapshot, recipe_from

SEED = 1  # of the untrained networks
DRAWING = ("unconditional", "class-conditional", "latent-code")  # the tasks that a judge scores


def check_scorable(trained: Trained) -> None:
    """Refuse a training whose models need a judge that there is not, before an export that may take minutes.

    Raises:
        UsageError: there is none for its data.
    """
    if any(servable.task in DRAWING for servable in trained.gan.servables().values()):
        EvaluationClassifier.of(loading.load(trained.source, "test", trained.gan.settings.image_size), trained.source)


def evaluate(model: Model, source: str | None = None) -> ModelMetadata:
    """The model's metadata with its scores; `source` is where its data is, if not under its known name.

    Raises:
        UsageError: there is no judge for its data, or no protocol for its task.
    """
    metadata = model.metadata
    with progress.working(f"scores of {metadata.name}"):
        return _evaluate(model, metadata, source)


def _evaluate(model: Model, metadata: ModelMetadata, source: str | None) -> ModelMetadata:
    train, test = (load_data(metadata, source, split) for split in ("train", "test"))
    gan = _untrained(metadata, train)
    untrained = _exported(gan, metadata)
    if metadata.task == "classification":
        scores, protocol = classification.scores(model, untrained, test), classification.protocol(test)
    elif metadata.task == "anomaly-detection":
        scores = anomaly_detection.scores(model, untrained, test, _strangers(metadata.data.name))
        protocol = classification.protocol(test)
    elif metadata.task in DRAWING:
        judge = EvaluationClassifier.of(test, source)
        scores = generation.scores(model, untrained, judge, train, test)
        protocol = generation.protocol(judge, test)
    elif trial := gan.trial(_part(metadata), test):
        scores = super_resolution.scores(model, untrained, test.photos)
        scores += translation.scores(model, untrained, trial, train, test)
        protocol = super_resolution.protocol(test.photos) + translation.protocol(trial, test)
    else:
        raise UsageError(f"{metadata.name}: no protocol is known for the task {metadata.task}")
    return replace(metadata, scores=tuple(scores), scores_protocol=protocol)


def learning_curve(model: Model, trained: Trained, scores: Sequence[Score]) -> tuple[Milestone, ...]:
    """The FCD of each snapshot of the training that the model came from; nothing where it draws none from noise.

    `scores` are the model's, whose FCD is also that of its last snapshot.

    Raises:
        UsageError: there is no judge for its data.
    """
    if not model.metadata.image_outputs or model.metadata.image_inputs:
        return ()
    test = loading.load(trained.source, "test", trained.gan.settings.image_size)
    judge = EvaluationClassifier(test.name)
    snapshots = [load_snapshot(path, trained.variant) for path in trained.snapshots]
    earlier = [snapshot for snapshot in snapshots if snapshot.training.steps != trained.training.steps]
    exports = (_exported(snapshot.gan, model.metadata) for snapshot in earlier)
    title = f"learning curve of {model.metadata.name}"
    distances = progress.track(generation.distances(exports, judge, test), title, len(earlier))
    fcd = {snapshot.training.steps: distance for snapshot, distance in zip(earlier, distances, strict=True)}
    fcd[trained.training.steps] = next(score.value for score in scores if score.name == "fcd")
    return tuple(
        Milestone(step=snapshot.training.steps, fcd=fcd[snapshot.training.steps], observed=snapshot.training.observed)
        for snapshot in snapshots
    )


def _strangers(data: str) -> Dataset | None:
    """Test images of other data, if any is known that has the same shape."""
    other = SOURCES[data].out_of_distribution if data in SOURCES else ""
    return loading.load(other, "test") if other else None


def load_data(metadata: ModelMetadata, source: str | None, split: loading.Split) -> Dataset:
    """What a model was trained on, or its test set; `source` is where it is, if not under its known name."""
    recipe, name = _recipe(metadata), metadata.data.name
    if source is None and name not in (*SOURCES, STACKED_MNIST) and not Path(name).exists():
        raise UsageError(
            f"{metadata.name} was trained on {name}, which is not known by name; say where it is with --data"
        )
    return loading.load(source or metadata.data.name, split, recipe.image_size, recipe.views, pairs=recipe.pairs)


def trial_of(metadata: ModelMetadata, source: str | None) -> EvaluationCase | None:
    """What a model that turns images into images is scored on; nothing for others."""
    if metadata.task != "image-to-image":
        return None
    test = load_data(metadata, source, "test")
    return _untrained(metadata, test).trial(_part(metadata), test)


def _recipe(metadata: ModelMetadata) -> Recipe:
    return recipe_from(metadata.variant, metadata.training.recipe)


def _untrained(metadata: ModelMetadata, dataset: Dataset) -> GAN:
    """The same variant before its first step."""
    torch.manual_seed(SEED)
    return variants.find(metadata.variant)(dataset.spec, _recipe(metadata))


def _exported(gan: GAN, metadata: ModelMetadata) -> Model:
    """The model that `metadata` describes, made from another state of the same variant's networks."""
    # What a tensor is called may depend on what the networks have learned: InfoGAN's codes.
    servable = replace(_servable(gan, metadata), inputs=metadata.inputs, outputs=metadata.outputs)
    content = export.export(servable, metadata)
    return Model(metadata, hashlib.sha256(content).hexdigest(), Path("not in a file"), content)


def _servable(gan: GAN, metadata: ModelMetadata) -> Servable:
    """The part of the variant that the model is; a model with a name of its own is the first."""
    servables = gan.servables()
    return servables.get(_part(metadata)) or next(iter(servables.values()))


def _part(metadata: ModelMetadata) -> str:
    return metadata.name.removeprefix(metadata.variant).removeprefix("-")
