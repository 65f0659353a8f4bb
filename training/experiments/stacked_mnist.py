"""Stacked-MNIST: how many of its 1,000 modes each variant reaches, with equal networks and generator steps.

The protocol of Metz et al. 2017 (https://arxiv.org/abs/1611.02163), Srivastava et al. 2017
(https://arxiv.org/abs/1705.07761) and Lin et al. 2018 (https://arxiv.org/abs/1712.04086): a classifier of digits reads
each channel of generated images. It names a digit even where there is none, so look at the images as well.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.metadata import Training
from training import progress, variants
from training.data import loading
from training.data.catalog import STACKED_MNIST
from training.data.dataset import DataSpec
from training.evaluation.classifier import EvaluationClassifier
from training.experiments import records
from training.families.convolutional import ConvolutionalGAN, ConvolutionalRecipe
from training.gan import Player
from training.loop import replacing, runs
from training.loop.folder import CHECKPOINT
from training.loop.runs import Run, Trained
from training.metrics import distribution
from training.publishing import markdown, publish

DIGITS, MODES = 10, 1_000
WIDTH = 16  # of all networks, as in the study of the losses
SEED = 1  # of the images that are scored; the sample has another
SAMPLE_IMAGES, SAMPLE_SCALE = 100, 2
OTHERS = "choose other --records"

HEADER = f"{'':24} {'generator steps':>15} {'modes of 1,000':>14} {'KL':>7}"
NOTES = """\
All have the same networks, except EBGAN's autoencoder, and instance instead of batch normalisation where a
discriminator's gradient is penalised. KL(shares of the modes || uniform) in nats."""


@dataclass(frozen=True)
class Coverage:
    """One line of the table."""

    name: str
    generator_steps: int | None  # unknown for published results, none for real images
    modes: float  # published results are means over trainings
    divergence: float
    training: Training | None = None

    def __str__(self) -> str:
        name, steps, modes, divergence = self.cells
        return f"{name:24} {steps:>15} {modes:>14} {divergence:>7}"

    @property
    def cells(self) -> list[str]:
        """The text of each column of `HEADER`."""
        steps = "" if self.generator_steps is None else f"{self.generator_steps:,}"
        return [self.name, steps, f"{self.modes:,g}", f"{self.divergence:.3f}"]


PUBLISHED = (
    Coverage("ALI [1]", None, 16, 5.4),
    Coverage("Unrolled GAN [1]", None, 48.7, 4.32),
    Coverage("DCGAN [1]", None, 99, 3.4),
    Coverage("VEEGAN [1]", None, 150, 2.95),
    Coverage("WGAN-GP [2]", None, 959, 0.7276),
    Coverage("PacDCGAN2 [3]", None, 1_000, 0.06),
)
REFERENCES = """\
Published, of other networks and trainings: [1] Srivastava et al. 2017, https://arxiv.org/abs/1705.07761;
[2] Kumar et al. 2019, https://arxiv.org/abs/1901.08508; [3] Lin et al. 2018, https://arxiv.org/abs/1712.04086."""


def record(coverage: Coverage, folder: Path, seed: int, *, replace: bool) -> None:
    """Write the record of one line of the table.

    Raises:
        UsageError: there is another record of real images, and `replace` is false.
    """
    path = _record(coverage.name, folder, seed)
    if coverage.training is None and path.exists():
        replacing.check_new(path, OTHERS, replace=replace or records.find(Coverage, path) == coverage)
    records.write(coverage, path)


def check_records(names: Sequence[str], folder: Path, recorded: Path, seed: int, *, replace: bool) -> None:
    """Refuse to replace records of other trainings than those in the folder.

    Raises:
        UsageError: a variant has such a record.
        Failure: no record can be written in `recorded`.
    """
    for name in names:
        path = _record(name, recorded, seed)
        before = records.find(Coverage, path)
        has_started = (folder / f"{name}-{seed}" / CHECKPOINT).exists()
        now = runs.load_trained(folder / f"{name}-{seed}", name).training if has_started else None
        same = before and before.training and now and replacing.continues(before.training, now)
        replacing.check_new(path, OTHERS, replace=replace or bool(same))


def _record(name: str, folder: Path, seed: int) -> Path:
    return folder / f"{name.replace(' ', '-')}-{seed}.json"


def table(folder: Path) -> str:
    """Return the records in the folder, real images first, and published results."""
    recorded = [records.read(Coverage, path) for path in sorted(folder.glob("*.json"))]
    recorded.sort(key=lambda coverage: coverage.training is not None)
    rows = [
        [*coverage.cells, f"{(coverage.training.processor_seconds or 0) / 60:.0f}" if coverage.training else "-"]
        for coverage in (*recorded, *PUBLISHED)
    ]
    return markdown.table(["", "generator steps", "modes of 1,000", "KL", "processor minutes"], rows)


def find(names: Sequence[str]) -> list[str]:
    """Return the names of the variants without duplicates.

    Raises:
        UsageError: one is unknown, or cannot have the same networks as the others.
    """
    alike = [name for name in variants.names() if issubclass(variants.find(name), ConvolutionalGAN)]
    for name in names:
        variants.find(name)
        if name not in alike:
            raise UsageError(f"{name} has networks of its own; those with the same networks are {', '.join(alike)}")
    return list(dict.fromkeys(names))


def compare(
    names: Sequence[str], folder: Path, *, steps: int, samples: int, seed: int, device: str
) -> Iterator[Coverage]:
    """Score real images, then train and score each variant; trainings resume from their checkpoints.

    Each training, with its model and a sample, is in `folder/<variant>-<seed>`; `steps` are the generator's.

    Raises:
        Stopped: SIGTERM or SIGINT arrived.
    """
    classifier = EvaluationClassifier("mnist")
    test = loading.load(STACKED_MNIST, "test")
    with progress.working("scores of real digits"):
        real = next(test.batches(samples, SEED, torch.device("cpu")))["image"].numpy()
        coverage = _coverage("real test digits", None, real, classifier)
    yield coverage
    for name in names:
        own = folder / f"{name}-{seed}"
        trained = _train(name, own, steps=steps, seed=seed, device=device)
        publish.export_all(trained, own / "models")
        turns = sum(map(_generator(name).plays, range(trained.training.steps)))
        with progress.working(f"scores of {name}"):
            generator = gan_serve.load(name, models=own / "models")
            generator.generate(SAMPLE_IMAGES, seed=0).save(own / "sample.png", grid=True, scale=SAMPLE_SCALE)
            coverage = _coverage(name, turns, generator.generate(samples, seed=SEED).array, classifier)
        yield dataclasses.replace(coverage, training=trained.training)


def read(images: NDArray[np.float32], classifier: EvaluationClassifier) -> NDArray[np.int64]:
    """Return the triple of digits in each image (N, 3, H, W), 0 to 999, the first channel's digit in front."""
    digits = [
        classifier.predict(images[:, [channel]]).probabilities.argmax(axis=1) for channel in range(images.shape[1])
    ]
    triples: NDArray[np.int64] = np.ravel_multi_index(digits, (DIGITS,) * len(digits))
    return triples


def _coverage(name: str, turns: int | None, images: NDArray[np.float32], classifier: EvaluationClassifier) -> Coverage:
    triples = read(images, classifier)
    return Coverage(name, turns, distribution.modes(triples), distribution.divergence_from_uniform(triples, MODES))


def _train(name: str, folder: Path, *, steps: int, seed: int, device: str) -> Trained:
    has_started = (folder / CHECKPOINT).exists()
    run = runs.saved_run(folder, name) if has_started else _new_run(name, seed)
    turns = filter(_generator(name).plays, itertools.count())
    last = next(itertools.islice(turns, steps - 1, None))
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, steps=last + 1))
    runs.train(run, folder, resume=has_started, device=device)
    return runs.load_trained(folder, name)


def _new_run(name: str, seed: int) -> Run:
    recipe = cast(ConvolutionalRecipe, variants.find(name).recipe)
    return Run(name, dataclasses.replace(recipe, width=WIDTH), STACKED_MNIST, seed)


def _generator(name: str) -> Player:
    """Return the generator's player, which knows its steps."""
    return variants.find(name)(DataSpec.of_images(channels=1, size=28, classes=())).stages()[0].players["generator"]
