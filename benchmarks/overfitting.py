"""Overfitting during training: compare the discriminator and the generated images with an unseen test set.

    python benchmarks/overfitting.py runs/plain runs/augmented

It needs trainings on data with a test set, of variants whose discriminator takes an image and returns one number. D
processes batches, augmented if it was trained on augmented images. D and the images come from the averages that a
training saves along the way. The Frechet distance (FD) and the recall compare with the test set on random features:
those of an untrained small convolutional network, each scaled to a deviation of 1 over the training images. They
capture colours and rough shapes. The first row, with real training images instead of generated ones, is the best
possible result.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from training.data import loading
from training.data.dataset import Dataset, to_signed
from training.evaluation.classifier_training import Classifier
from training.gan import GAN
from training.loop import checkpoint, runs
from training.metrics import distribution

BATCH, PASSES = 64, 10  # with batch normalisation, D's output depends on the batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of trainings")
    for folder in parser.parse_args().runs:
        print(f"\n{folder}\n| step | D(train) | D(test) | D(generated) | FD | recall |\n|{' --- |' * 6}")
        for row in _rows(folder):
            print(f"| {' | '.join(row)} |", flush=True)


def _rows(folder: Path) -> Iterator[list[str]]:
    variant = checkpoint.load(folder / runs.CHECKPOINT, torch.device("cpu"))["run"]["variant"]
    trained = runs.load_trained(folder, variant)
    size = trained.gan.settings.image_size
    train, test = (_images(loading.load(trained.source, split, size)) for split in ("train", "test"))
    features = _random_features(train, trained.gan)
    yield ["real", "", "", "", *_distances(features(test), features(train))]
    for path in trained.snapshots:
        snapshot = runs.load_snapshot(path, variant)
        torch.manual_seed(0)
        generated = _generated(snapshot.gan, len(train))
        predictions = _predictions(snapshot.gan, (train, test, generated))
        yield [f"{snapshot.training.steps:,}", *predictions, *_distances(features(test), features(generated))]


def _images(dataset: Dataset) -> Tensor:
    return to_signed(dataset.images)


@torch.no_grad()
def _generated(gan: GAN, count: int) -> Tensor:
    return gan.fake({"image": torch.empty(count, 0)})


@torch.no_grad()
def _predictions(gan: GAN, sets: tuple[Tensor, ...]) -> list[str]:
    """Return the discriminator's mean prediction for each set, in training mode."""
    gan.train().before_training()
    read = gan.adversarial.probability or Tensor.float
    count = min(map(len, sets)) // BATCH * BATCH
    predictions = [
        torch.cat([read(gan.discriminator(batch)) for _ in range(PASSES) for batch in _shuffled(images, count)])
        for images in sets
    ]
    return [f"{each.mean():.2f}" for each in predictions]


def _shuffled(images: Tensor, count: int) -> tuple[Tensor, ...]:
    return images[torch.randperm(len(images))[:count]].split(BATCH)


def _random_features(train: Tensor, gan: GAN) -> Callable[[Tensor], distribution.Array]:
    torch.manual_seed(0)
    network = Classifier(gan.spec).features[:-1].eval().requires_grad_(False)  # before the ReLU, which zeroes many
    deviation = network(train).std(dim=0)
    return lambda images: (network(images) / deviation).numpy()


def _distances(real: distribution.Array, fake: distribution.Array) -> list[str]:
    recall = distribution.neighbourhoods(real, fake)["recall"]
    return [f"{distribution.frechet_distance(real, fake):.1f}", f"{recall:.2f}"]


if __name__ == "__main__":
    main()
