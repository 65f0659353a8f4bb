"""SSGAN: few labels, a classifier with N + 1 classes, and a generator that matches features."""

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch
from PIL import Image
from small_models import metadata_of, save_model

import gan_serve
from gan_serve.errors import Failure
from training import variants
from training.data.dataset import Dataset, to_signed
from training.export import export
from training.gan import Servable
from training.loop.trainer import Trainer

CPU = torch.device("cpu")


def by_content(images: torch.Tensor, labels: torch.Tensor) -> dict[bytes, int]:
    """Map each image to its label."""
    return {image.numpy().tobytes(): int(label) for image, label in zip(images, labels, strict=True)}


def test_the_known_labels_are_divided_equally_among_the_classes(digits: Dataset) -> None:
    seen: dict[bytes, int] = {}
    for batch in itertools.islice(digits.partly_labelled(20).batches(16, 0, CPU), 100):
        assert batch.keys() == {"image", "labelled", "label"}
        assert batch["image"].shape == batch["labelled"].shape == (16, 1, 8, 8)
        seen |= by_content(batch["labelled"], batch["label"])
    assert sorted(seen.values()) == sorted([*range(10)] * 2)
    assert seen.items() <= by_content(to_signed(digits.images), digits.labels).items()


def test_a_resumed_training_sees_the_same_batches_and_the_seed_chooses_the_labels(digits: Dataset) -> None:
    few = digits.partly_labelled(10)
    whole = list(itertools.islice(few.batches(16, 0, CPU), 5))
    resumed = next(few.batches(16, 0, CPU, first_step=4))
    assert all(torch.equal(whole[4][name], resumed[name]) for name in resumed)
    other = next(few.batches(16, 1, CPU))
    known = {content for batch in whole for content in by_content(batch["labelled"], batch["label"])}
    assert not known.issuperset(by_content(other["labelled"], other["label"]))


def test_labels_that_cannot_be_divided_equally_are_refused(digits: Dataset) -> None:
    for known, message in (
        (15, "15 labels cannot be divided equally among 10 classes"),
        (0, "0 labels cannot be divided equally"),
        (5_000, "fewer than 500"),
    ):
        with pytest.raises(Failure, match=message):
            next(digits.partly_labelled(known).batches(4, 0, CPU))


def training(digits: Dataset, steps: int, **changes: object) -> Trainer:
    variant = variants.find("ssgan")
    recipe = dataclasses.replace(variant.recipe, steps=steps, batch_size=20, **changes)  # type: ignore[arg-type]
    torch.manual_seed(0)
    gan = variant(digits.spec, recipe)
    return Trainer(gan, gan.source(digits), seed=0, precision="fp32", device="cpu")


@pytest.fixture(scope="module")
def classifier(digits: Dataset) -> Servable:
    """The served classifier after a short training."""
    trainer = training(digits, steps=80, learning_rate=3e-3)
    for _ in trainer.train():
        pass
    return trainer.game.eval().servables()["classifier"]  # type: ignore[operator, no-any-return]


def test_it_learns_to_classify_from_the_labels_it_has(digits: Dataset, classifier: Servable) -> None:
    with torch.no_grad():
        classes, realness = classifier.network(to_signed(digits.images))
    torch.testing.assert_close(classes.sum(dim=1), torch.ones(len(classes)))
    assert ((realness >= 0) & (realness <= 1)).all()
    assert (classes.argmax(dim=1) == digits.labels).float().mean() > 0.6


def test_its_classifier_is_served_from_image_files(digits: Dataset, classifier: Servable, tmp_path: Path) -> None:
    with torch.no_grad():
        expected = [digits.classes[best] for best in classifier.network(to_signed(digits.images[:80]))[0].argmax(dim=1)]
    metadata = metadata_of("recogniser", classifier.inputs, *classifier.outputs, task=classifier.task)
    save_model(tmp_path / "models", metadata, export(classifier, metadata))
    images = tmp_path / "images"
    images.mkdir()
    for place, image in enumerate(digits.images[:80].numpy()):
        Image.fromarray(image[0]).save(images / f"{place:02}.png")
    served = gan_serve.load("recogniser", models=tmp_path / "models", device="cpu")
    answers = served.generate(image=images).answers()
    assert [answer["image"] for answer in answers] == [f"{place:02}.png" for place in range(80)]
    assert [answer["classes_top"] for answer in answers] == expected


def test_both_distances_match_features(digits: Dataset) -> None:
    for matching in ("squared", "huber"):
        assert "generator/feature_matching" in next(training(digits, steps=1, matching=matching).train())


def test_the_control_learns_from_the_labels_alone(digits: Dataset) -> None:
    control = training(digits, steps=100, unsupervised_weight=0.0)
    before = {name: value.clone() for name, value in control.game.generator.state_dict().items()}  # type: ignore[union-attr, operator]
    terms = [played["discriminator/supervised"] for played in control.train()]
    assert terms[-1] < terms[0] / 2
    for name, value in control.game.generator.state_dict().items():  # type: ignore[union-attr, operator]
        assert torch.equal(value, before[name])
