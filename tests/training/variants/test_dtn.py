"""DTN: an encoder that is trained on the source and then frozen, and a discriminator of three classes."""

import dataclasses
import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from torch.nn import functional as F

from training.data.dataset import Dataset, Tensors, to_signed
from training.loop.trainer import Trainer
from training.metrics.prediction import Prediction
from training.networks import layers
from training.scoring import EvaluationCase
from training.variants.dtn import DTN

CPU = torch.device("cpu")


@pytest.fixture
def photos(digits: Dataset) -> Dataset:
    """Digits, and beside each its negative."""
    return dataclasses.replace(digits, views={"photo": 255 - digits.images})


def game(data: Dataset, **settings: object) -> DTN:
    torch.manual_seed(0)
    recipe = dataclasses.replace(DTN.recipe, batch_size=8, **settings)  # type: ignore[arg-type]
    return DTN(data.spec, recipe)


def test_a_photo_has_its_label_and_a_target_that_is_drawn_independently(photos: Dataset) -> None:
    labels = {
        image.numpy().tobytes(): label
        for image, label in zip(to_signed(photos.views["photo"]), photos.labels, strict=True)
    }
    batches = list(itertools.islice(game(photos).source(photos).batches(50, 0, CPU), 4))
    for batch in batches:
        assert batch.keys() == {"image", "label", "digit"}
        assert [labels[image.numpy().tobytes()] for image in batch["image"]] == batch["label"].tolist()
    partners = sum(
        torch.equal(-photo, digit)
        for batch in batches
        for photo, digit in zip(batch["image"], batch["digit"], strict=True)
    )
    assert partners < 5


def test_the_encoder_learns_first_and_then_stays_as_it_is(photos: Dataset) -> None:
    gan = game(photos, steps=4, recognition_share=0.5)
    trainer = Trainer(gan, gan.source(photos), seed=0, precision="fp32", device="cpu")
    states = [{name: value.clone() for name, value in gan.state_dict().items()}]
    for _ in trainer.train():
        states.append({name: value.clone() for name, value in gan.state_dict().items()})

    def moved(part: str, first: int, last: int) -> bool:
        return any(
            not torch.equal(states[first][name], states[last][name]) for name in states[0] if name.startswith(part)
        )

    assert moved("encoder", 0, 2)
    assert moved("classifier", 0, 2)
    assert not moved("decoder", 0, 2)
    assert not moved("encoder", 2, 4)
    assert moved("decoder", 2, 4)


def test_the_discriminator_tells_three_kinds_of_images_apart(photos: Dataset) -> None:
    gan = game(photos, steps=4)
    batch = next(gan.source(photos).batches(8, 0, CPU))
    for parameter in gan.discriminator.parameters():
        parameter.data.zero_()  # all three classes are equally likely
    terms = gan.discriminator_loss(batch)
    assert set(terms) == {"class 1", "class 2", "class 3"}
    assert all(term.item() == pytest.approx(math.log(3)) for term in terms.values())
    assert gan.generator_loss(batch)["adversarial"].item() == pytest.approx(2 * math.log(3))
    gan.discriminator[-1][0].bias.data = torch.tensor([0.0, 0.0, 50.0])  # all passes for the target
    assert gan.generator_loss(batch)["adversarial"].item() == pytest.approx(0, abs=1e-6)
    assert gan.discriminator_loss(batch)["class 3"].item() == pytest.approx(0, abs=1e-6)
    assert gan.discriminator_loss(batch)["class 1"].item() == pytest.approx(50)


def test_the_generator_keeps_the_code_of_a_photo_and_the_pixels_of_a_target(photos: Dataset) -> None:
    gan = game(photos, steps=4, constancy_weight=2.0, identity_weight=3.0)
    batch = next(gan.source(photos).batches(8, 0, CPU))
    terms = gan.generator_loss(batch)
    code, from_source, from_target = gan.transferred(batch)
    assert torch.allclose(code, gan.encoder(batch["image"]), atol=1e-6)
    constancy, identity = F.mse_loss(gan.encoder(from_source), code), F.mse_loss(from_target, batch["digit"])
    assert terms["constancy"].item() == pytest.approx(2 * constancy.item())
    assert terms["identity"].item() == pytest.approx(3 * identity.item())
    assert terms["smoothness"].item() > 0


@dataclass
class Context:
    """An evaluation context whose model inverts images, and whose classifier knows the class of each digit."""

    case: EvaluationCase
    test: Dataset

    def run(self, inputs: Tensors) -> Tensors:
        return {"digit": -inputs["image"]}

    def predict(self, images: torch.Tensor) -> Prediction:
        known = to_signed(self.test.images).flatten(1)
        nearest = torch.cdist(images.flatten(1), known).argmin(dim=1)
        return Prediction(layers.one_hot(self.test.labels[nearest], 10).numpy(), known.numpy())


def test_it_is_scored_by_what_the_photo_shows_and_by_what_a_target_loses(photos: Dataset) -> None:
    few = photos.rows(slice(50))
    case = game(few).evaluation_case("", few)
    assert torch.equal(case.inputs["image"], to_signed(few.views["photo"]))
    assert torch.equal(case.truth, to_signed(few.images))
    scores = {score.name: score.value for score in DTN.own_scores(Context(case, few))}  # type: ignore[arg-type]
    assert scores["input_accuracy"] < 0.5, "a negative is nearest to some other digit"
    assert scores["identity_l1"] == pytest.approx(2 * case.truth.abs().mean().item())
