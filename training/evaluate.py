"""Score an exported model through ONNX Runtime, beside real data and beside the untrained generator."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.metadata import Milestone, ModelMetadata, Score
from gan_serve.repository import Model
from training import datasets, export, metrics, variants
from training.datasets import Dataset
from training.gan import GAN, Servable
from training.judge import Judge, Opinion, test_accuracy, train_classifier
from training.runs import Trained, load_snapshot, recipe_from

IMAGES = 10_000
SEED = 1  # of the images that are scored; the sample in the card has another
CLASSIFIER_EPOCHS = 10

Better = Literal["higher", "lower"]
DESCRIPTIONS: dict[str, tuple[Better, str]] = {
    "fcd": ("lower", "Frechet distance on the judge's features; not comparable with an Inception FID"),
    "inception_style_score": ("higher", "exp of the mutual information of image and class by the judge, 1 to 10"),
    "smallest_class_share": ("higher", "share of the rarest class; 0 where a class is never drawn"),
    "label_accuracy": ("higher", "share of images that the judge takes for the class that was asked for"),
    "intra_class_diversity": ("higher", "mean feature distance within a class, as a share of that of real images"),
    "gan_train": ("higher", "test accuracy of a classifier trained on the generated images alone"),
    "precision": ("higher", "share of generated images that lie among real ones"),
    "recall": ("higher", "share of real images that lie among generated ones"),
    "density": ("higher", "how many real neighbourhoods a generated image lies in; about 1 for real images"),
    "coverage": ("higher", "share of real images with a generated one in their neighbourhood"),
}


@dataclass(frozen=True)
class Sample:
    """Images (N, C, H, W) in [-1, 1] with the label of each, or none."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64] | None


def evaluate(model: Model, source: str | None = None) -> ModelMetadata:
    """The model's metadata with its scores; `source` is where its data is, if not under its known name.

    Raises:
        UsageError: there is no judge for its data, or it makes no images from noise.
    """
    metadata = model.metadata
    if metadata.task not in ("unconditional", "class-conditional"):
        raise UsageError(f"{metadata.name}: no protocol is known for the task {metadata.task}")
    judge = Judge(metadata.data.name)
    source, size = source or metadata.data.name, int(metadata.training.recipe["image_size"])  # type: ignore[arg-type]
    train, test = datasets.load(source, "train", size), datasets.load(source, "test", size)
    reference = judge.look(_real(test).images)
    fake, control = _draw(model), _draw(_untrained(model, train))
    real = _real(train)
    value = _scores(fake, judge.look(fake.images), reference, test)
    floor = _scores(real, judge.look(real.images), reference, test)
    worst = _scores(control, judge.look(control.images), reference, test)
    if fake.labels is not None:
        value["gan_train"] = _gan_train(fake, train, test)
        floor["gan_train"] = _gan_train(real, train, test)
    scores = tuple(
        Score(
            name=name,
            value=round(value[name], 4),
            better=better,
            description=description,
            real=round(floor[name], 4),
            control=round(worst[name], 4) if name in worst else None,
        )
        for name, (better, description) in DESCRIPTIONS.items()
        if name in value
    )
    return metadata.model_copy(update={"scores": scores, "scores_protocol": _protocol(judge, test)})


def learning_curve(model: Model, trained: Trained) -> tuple[Milestone, ...]:
    """The FCD of each snapshot of the training that the model came from, by the same protocol.

    Raises:
        UsageError: there is no judge for its data.
    """
    judge = Judge(trained.data.name)
    reference = judge.look(_real(datasets.load(trained.source, "test", trained.gan.settings.image_size)).images)
    milestones = []
    for path in track(trained.snapshots, f"learning curve of {model.metadata.name}", transient=True):
        snapshot = load_snapshot(path, trained.variant)
        drawn = _draw(_exported(snapshot.gan, model.metadata))
        distance = metrics.frechet_distance(reference.features, judge.look(drawn.images).features)
        milestones.append(Milestone(step=snapshot.training.steps, fcd=round(distance, 4)))
    return tuple(milestones)


def _protocol(judge: Judge, test: Dataset) -> str:
    return (
        f"{IMAGES:,} images of seed {SEED} against {len(test.images[:IMAGES]):,} test images, one training. "
        f"The judge is a small classifier trained on the real training images "
        f"({judge.facts['test_accuracy']:.2%} on the test set). "
        "Real: training images, as many, in place of generated ones. Control: the untrained generator. "
        f"Neighbourhoods of k = {metrics.NEIGHBOURS}."
    )


def _scores(sample: Sample, opinion: Opinion, reference: Opinion, test: Dataset) -> dict[str, float]:
    found = {
        "fcd": metrics.frechet_distance(reference.features, opinion.features),
        "inception_style_score": metrics.inception_style_score(opinion.probabilities),
        "smallest_class_share": metrics.smallest_class_share(opinion.probabilities),
        **metrics.neighbourhoods(reference.features, opinion.features),
    }
    if sample.labels is not None:
        real_distance = metrics.intra_class_distance(reference.features, test.labels.numpy())
        found["label_accuracy"] = metrics.label_accuracy(opinion.probabilities, sample.labels)
        found["intra_class_diversity"] = metrics.intra_class_distance(opinion.features, sample.labels) / real_distance
    return found


def _draw(model: Model) -> Sample:
    """Images of a model; balanced by label where it takes one, and no two from the same noise."""
    generator = Generator(model)
    label = model.metadata.label
    if label is None:
        return Sample(generator.generate(IMAGES, seed=SEED).array, None)
    each = IMAGES // len(label.classes)
    rows = [
        generator.generate(each, seed=SEED, index=each * number, **{label.name: number}).array
        for number in range(len(label.classes))
    ]
    return Sample(np.concatenate(rows), np.repeat(np.arange(len(label.classes)), each))


def _real(dataset: Dataset) -> Sample:
    images = datasets.to_signed(dataset.images[:IMAGES]).numpy()
    return Sample(images, dataset.labels[:IMAGES].numpy())


def _untrained(model: Model, dataset: Dataset) -> Model:
    """The same variant before its first step."""
    metadata = model.metadata
    torch.manual_seed(SEED)
    gan = variants.find(metadata.variant)(dataset.spec, recipe_from(metadata.variant, metadata.training.recipe))
    return _exported(gan, metadata)


def _exported(gan: GAN, metadata: ModelMetadata) -> Model:
    """The model that `metadata` describes, made from another state of the same variant's networks."""
    content = export.export(_servable(gan, metadata), metadata)
    return Model(metadata, hashlib.sha256(content).hexdigest(), Path("not in a file"), content)


def _servable(gan: GAN, metadata: ModelMetadata) -> Servable:
    """The part of the variant that the model is; a model with a name of its own is the first."""
    servables = gan.servables()
    part = metadata.name.removeprefix(metadata.variant).removeprefix("-")
    return servables.get(part) or next(iter(servables.values()))


def _gan_train(sample: Sample, train: Dataset, test: Dataset) -> float:
    """Test accuracy of a classifier that has seen the sample alone."""
    assert sample.labels is not None
    pixels = torch.from_numpy(sample.images).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    learned = Dataset(
        train.name, pixels, torch.from_numpy(sample.labels), train.classes, train.license, train.attribution
    )
    return test_accuracy(train_classifier(learned, CLASSIFIER_EPOCHS, SEED), test)
