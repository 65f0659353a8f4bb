"""How far trainings over-fit: what their discriminators and images are to a test set that they have not seen.

    python benchmarks/overfitting.py runs/plain runs/augmented

For trainings on data with a test set, of variants whose discriminator sees an image alone and says one number. D is
asked in batches, and about augmented images where it was trained on such, as in the game. D and the images are those of
the averages that a training keeps on its way. The Frechet distance (FD) and the recall are to the test set, on random
features: those of a small convolutional network that was never trained, each scaled to a deviation of 1 over the
training images. They see colours and rough shapes. The first line, of real training images in place of generated ones,
is the best that can be reached.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from training.data import loading
from training.data.dataset import Dataset, to_signed
from training.evaluation.classifier import Classifier
from training.gan import GAN
from training.loop import checkpoint, runs
from training.metrics import distribution

BATCH, PASSES = 64, 10  # what D says depends on the batch, where it normalises by batches


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
        opinions = _opinions(snapshot.gan, (train, test, generated))
        yield [f"{snapshot.training.steps:,}", *opinions, *_distances(features(test), features(generated))]


def _images(dataset: Dataset) -> Tensor:
    return to_signed(dataset.images)


@torch.no_grad()
def _generated(gan: GAN, count: int) -> Tensor:
    return gan.fake({"image": torch.empty(count, 0)})


@torch.no_grad()
def _opinions(gan: GAN, sets: tuple[Tensor, ...]) -> list[str]:
    """What the discriminator makes of each set on average, as it is asked in the game."""
    gan.train().before_training()
    read = gan.adversarial.probability or Tensor.float
    count = min(map(len, sets)) // BATCH * BATCH
    answers = [
        torch.cat([read(gan.discriminator(batch)) for _ in range(PASSES) for batch in _shuffled(images, count)])
        for images in sets
    ]
    return [f"{answer.mean():.2f}" for answer in answers]


def _shuffled(images: Tensor, count: int) -> tuple[Tensor, ...]:
    return images[torch.randperm(len(images))[:count]].split(BATCH)


def _random_features(train: Tensor, gan: GAN) -> Callable[[Tensor], distribution.Array]:
    torch.manual_seed(0)
    network = Classifier(gan.spec).features[:-1].eval().requires_grad_(False)  # before its ReLU, which zeroes many
    deviation = network(train).std(dim=0)
    return lambda images: (network(images) / deviation).numpy()


def _distances(real: distribution.Array, fake: distribution.Array) -> list[str]:
    recall = distribution.neighbourhoods(real, fake)["recall"]
    return [f"{distribution.frechet_distance(real, fake):.1f}", f"{recall:.2f}"]


if __name__ == "__main__":
    main()
