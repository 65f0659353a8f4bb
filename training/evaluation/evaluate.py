"""Score an exported model through ONNX Runtime, with the scorer of its task.

The scorer of a task is the module of its name, such as `image_to_image.py`.
"""

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

import torch

from gan_serve.errors import UsageError
from gan_serve.metadata import Milestone, ModelMetadata, Score
from gan_serve.repository import Model
from training import export, progress, variants
from training.data import loading
from training.data.catalog import SOURCES, STACKED_MNIST
from training.data.dataset import Dataset
from training.evaluation import generation, own
from training.evaluation import scores as table
from training.evaluation.classifier import EvaluationClassifier
from training.evaluation.context import Evaluation, no_protocol
from training.gan import GAN, Recipe, Servable
from training.loop.runs import Trained, load_snapshot, recipe_from
from training.scoring import EvaluationCase

SEED = 1  # of the untrained networks
GENERATIVE = ("unconditional", "class-conditional", "latent-code")  # the tasks that generation.py scores


class Scorer(Protocol):
    """A module that scores the models of a task."""

    NEEDS_CLASSIFIER: bool  # of the data's classes

    def scores(self, context: Evaluation) -> list[Score]:
        """Return the scores of the model."""

    def protocol(self, context: Evaluation) -> str:
        """Describe what the scores were measured on."""


def find_scorer(name: str, task: str, variant: type[GAN] = GAN) -> Scorer:
    """Return the scorer of a variant's models of a task; `name` is the model's.

    Raises:
        UsageError: the task has none.
    """
    if variant.scored_by == "own":
        return cast(Scorer, own)
    module = f"{__package__}.{'generation' if task in GENERATIVE else task.replace('-', '_')}"
    if importlib.util.find_spec(module) is None:
        raise no_protocol(name, task)
    return cast(Scorer, importlib.import_module(module))


def check_scorable(trained: Trained) -> None:
    """Check that a training's models can be scored, before an export that may take minutes.

    Raises:
        UsageError: its data has no evaluation classifier, and a model needs one.
    """
    gan = trained.gan
    scorers = [find_scorer(trained.variant, servable.task, type(gan)) for servable in gan.servables().values()]
    if any(scorer.NEEDS_CLASSIFIER for scorer in scorers):
        EvaluationClassifier.of(loading.load(trained.source, "test", gan.settings.image_size), trained.source)


def evaluate(model: Model, source: str | None = None) -> ModelMetadata:
    """Return the model's metadata with its scores; `source` is where its data is, if not under its known name.

    Raises:
        UsageError: its data has no evaluation classifier, or its task no scorer.
    """
    metadata = model.metadata
    with progress.working(f"scores of {metadata.name}"):
        scorer = find_scorer(metadata.name, metadata.task, variants.find(metadata.variant))
        context = _context(model, source)
        scores = (*scorer.scores(context), *_own_scores(context))
        return replace(metadata, scores=scores, scores_protocol=scorer.protocol(context))


def _own_scores(context: Evaluation) -> list[Score]:
    """Return the variant's own scores, beside the same of the untrained model."""
    values, controls = (context.gan.own_scores(each) for each in (context, context.control))
    return [
        table.rounded(replace(score, control=control.value)) for score, control in zip(values, controls, strict=True)
    ]


def _context(model: Model, source: str | None) -> Evaluation:
    metadata = model.metadata
    train, test = (load_data(metadata, source, split) for split in ("train", "test"))
    gan = _untrained(metadata, train)
    untrained = _exported(gan, metadata)
    return Evaluation(model, untrained, gan, _part(metadata), train, test, generation.IMAGES, source)


def learning_curve(model: Model, trained: Trained, scores: Sequence[Score]) -> tuple[Milestone, ...]:
    """Return the FCD of each snapshot of the training that the model came from; none for other than generators.

    `scores` are the model's, whose FCD is also that of its last snapshot.

    Raises:
        UsageError: its data has no evaluation classifier.
    """
    if trained.gan.scored_by == "own" or not model.metadata.drawn_outputs or model.metadata.image_inputs:
        return ()
    test = loading.load(trained.source, "test", trained.gan.settings.image_size)
    classifier = EvaluationClassifier(test.name)
    snapshots = [load_snapshot(path, trained.variant) for path in trained.snapshots]
    earlier = [snapshot for snapshot in snapshots if snapshot.training.steps != trained.training.steps]
    exports = (_exported(snapshot.gan, model.metadata) for snapshot in earlier)
    title = f"learning curve of {model.metadata.name}"
    distances = progress.track(generation.distances(exports, classifier, test), title, len(earlier))
    fcd = {snapshot.training.steps: distance for snapshot, distance in zip(earlier, distances, strict=True)}
    fcd[trained.training.steps] = next(score.value for score in scores if score.name == "fcd")
    return tuple(
        Milestone(step=snapshot.training.steps, fcd=fcd[snapshot.training.steps], observed=snapshot.training.observed)
        for snapshot in snapshots
    )


def load_data(metadata: ModelMetadata, source: str | None, split: loading.Split) -> Dataset:
    """Load a model's training or test data; `source` is where it is, if not under its known name."""
    recipe, name = _recipe(metadata), metadata.data.name
    if source is None and name not in (*SOURCES, STACKED_MNIST) and not Path(name).exists():
        raise UsageError(
            f"{metadata.name} was trained on {name}, which is not known by name; give its file or folder with --data"
        )
    return loading.load(source or metadata.data.name, split, recipe.image_size, recipe.views, pairs=recipe.pairs)


def evaluation_case(metadata: ModelMetadata, source: str | None) -> EvaluationCase | None:
    """Return what a model that turns images into images is scored on; none for others."""
    if not (metadata.input_images and metadata.image_outputs):
        return None
    test = load_data(metadata, source, "test")
    return _untrained(metadata, test).evaluation_case(_part(metadata), test)


def _recipe(metadata: ModelMetadata) -> Recipe:
    return recipe_from(metadata.variant, metadata.training.recipe)


def _untrained(metadata: ModelMetadata, dataset: Dataset) -> GAN:
    """Return the same variant before its first step."""
    torch.manual_seed(SEED)
    return variants.find(metadata.variant)(dataset.spec, _recipe(metadata))


def _exported(gan: GAN, metadata: ModelMetadata) -> Model:
    """Export the model that `metadata` describes from another state of the variant's networks."""
    # The names of tensors may depend on what the networks have learned: InfoGAN's codes.
    servable = replace(_servable(gan, metadata), inputs=metadata.inputs, outputs=metadata.outputs)
    content = export.export(servable, metadata)
    return Model(metadata, hashlib.sha256(content).hexdigest(), Path("not in a file"), content)


def _servable(gan: GAN, metadata: ModelMetadata) -> Servable:
    """Return the servable that the model is; a model with a name of its own is the first."""
    servables = gan.servables()
    return servables.get(_part(metadata)) or next(iter(servables.values()))


def _part(metadata: ModelMetadata) -> str:
    return metadata.name.removeprefix(metadata.variant).removeprefix("-")
