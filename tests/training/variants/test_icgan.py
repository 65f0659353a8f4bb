"""ICGAN: a conditional GAN on several traits, two encoders, and an editor that leaves traits as they are."""

import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import metadata_of, save_model
from torch import nn
from torch.nn import functional as F

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.repository import Repository
from training.data.dataset import Dataset, DataSpec, Tensors, Traits
from training.export import export
from training.families.editing import Editing
from training.loop.trainer import Trainer
from training.metrics.prediction import Prediction
from training.metrics.probe import Probe
from training.networks import traits
from training.publishing import cards, samples
from training.scoring import EvaluationCase
from training.variants.icgan import ICGAN, matched

CHOICES = {"shape": ("round", "long", "flat"), "colour": ("red", "blue")}
SPEC = dataclasses.replace(DataSpec.of_images(1, 8, ("a", "b")), traits=CHOICES)
NAMES = ("shape", "colour")


def game(**settings: object) -> ICGAN:
    torch.manual_seed(0)
    recipe = dataclasses.replace(ICGAN.recipe, traits=NAMES, batch_size=8, **settings)  # type: ignore[arg-type]
    return ICGAN(SPEC, recipe)


def data(count: int = 40) -> Dataset:
    random = torch.Generator().manual_seed(0)
    values = torch.stack(
        [torch.randint(3, (count,), generator=random), torch.randint(2, (count,), generator=random)], dim=1
    )
    images = torch.randint(256, (count, 1, 8, 8), generator=random).byte()
    return Dataset("d", images, values[:, 0] % 2, ("a", "b"), "", "", traits=Traits(values, CHOICES))


def test_it_edits_the_traits_that_the_recipe_names_or_the_label() -> None:
    (servable,) = game().servables().values()
    image, shape, colour = servable.inputs
    assert (image.name, shape.name, colour.name) == ("image", *NAMES)
    assert shape.classes == ("round", "long", "flat", "as it is")  # type: ignore[union-attr]
    assert shape.default == colour.default == "as it is"  # type: ignore[union-attr]
    (label,) = ICGAN(DataSpec.of_images(1, 8, ("a", "b"))).servables()[""].inputs[1:]
    assert (label.name, label.classes) == ("label", ("a", "b", "as it is"))  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="no trait 'head'; its traits are shape, colour"):
        ICGAN(SPEC)
    with pytest.raises(UsageError, match="several classes"):
        ICGAN(DataSpec.of_images(1, 8, ("a",)))


def test_the_condition_has_a_one_for_each_trait() -> None:
    batch = next(data().batches(8, 0, torch.device("cpu")))
    condition = game().condition(batch)
    assert condition.shape == (8, 5)
    assert torch.equal(condition[:, :3].argmax(dim=1), batch["traits"][:, 0])
    assert torch.equal(condition[:, 3:].argmax(dim=1), batch["traits"][:, 1])
    assert (condition.sum(dim=1) == 2).all()


def test_a_real_image_with_any_one_wrong_trait_counts_as_fake() -> None:
    gan, own, each = game(), torch.randn(1, 1), torch.randn(1, 5)
    right = traits.one_hot(torch.tensor([[1, 0]]), CHOICES)

    def judged(shape: int, colour: int) -> torch.Tensor:
        return F.softplus(matched((own, each), traits.one_hot(torch.tensor([[shape, colour]]), CHOICES)))

    expected = (judged(0, 0) + judged(2, 0)) / 2 + judged(1, 1)
    assert torch.allclose(gan._mismatch(matched((own, each), right), each, right), expected)


def test_the_encoders_learn_last_from_a_frozen_generator() -> None:
    gan = game(steps=4, encoding_share=0.5)
    trainer = Trainer(gan, data(), seed=0, precision="fp32", device="cpu")
    states = [{name: value.clone() for name, value in gan.named_parameters()}]
    for _ in trainer.train():
        states.append({name: value.clone() for name, value in gan.named_parameters()})
    for first, last, moving in ((0, 2, ("generator", "discriminator")), (2, 4, ("latent_encoder", "trait_encoder"))):
        for name, before in states[first].items():
            assert torch.equal(before, states[last][name]) != name.startswith(moving), name


class Fixed(nn.Module):
    """An encoder that reads the same in every image."""

    def __init__(self, *read: float) -> None:
        super().__init__()
        self.read = torch.tensor(read, dtype=torch.float32)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.read.expand(len(image), -1)


def test_a_trait_that_is_not_given_is_read_in_the_image() -> None:
    """The latent is 0.5, and the image shows the shape 2 and the colour 0."""
    editor = traits.Editor(nn.Identity(), Fixed(0.5), Fixed(0, 0, 99, 99, 0), CHOICES)
    image, shapes, colours = torch.zeros(4, 1, 8, 8), torch.tensor([3, 1, 3, 0]), torch.tensor([2, 2, 1, 1])
    z, *y = editor(image, shapes, colours).split([1, 3, 2], dim=1)
    assert (z == 0.5).all()
    assert y[0].argmax(dim=1).tolist() == [2, 1, 2, 0]
    assert y[1].argmax(dim=1).tolist() == [0, 0, 1, 1]
    assert torch.allclose(torch.cat(y, dim=1).sum(dim=1), torch.full((4,), 2.0))


def test_a_served_model_edits_what_is_given_alone_and_its_card_shows_an_edit_of_each_trait(tmp_path: Path) -> None:
    shown = data(80)
    gan = game().eval()
    (editor,) = gan.servables().values()
    metadata = metadata_of("editor", editor.inputs, *editor.outputs, task=editor.task)
    save_model(tmp_path, metadata, export(editor, metadata))
    served = gan_serve.load("editor", models=tmp_path, device="cpu")
    file = tmp_path / "image.png"
    Image.fromarray(shown.images[0, 0].numpy()).save(file)
    plain, long, all_kept = (
        served.generate(image=file, **given).outputs["edited"]
        for given in ({}, {"shape": "long"}, {"shape": "as it is", "colour": "as it is"})
    )
    assert (plain == all_kept).all()
    assert (plain != long).any()
    sample = Image.open(io.BytesIO(samples.image(Repository(tmp_path).find("editor"), gan.evaluation_case("", shown))))
    assert sample.height == 4 * sample.width // 80, "input, output, another shape, another colour"
    rows = "input, `edited`, the same with another `shape` and the same with another `colour`"
    assert rows in cards.card(metadata)


def test_a_probe_reads_what_features_hold() -> None:
    features = np.random.default_rng(0).normal(size=(600, 5)).astype(np.float32)
    labels = features[:, :3].argmax(axis=1)
    assert (Probe.of(features[:500], labels[:500]).read(features[500:]) == labels[500:]).mean() > 0.9


@dataclass
class Context:
    """An evaluation context of images in whose first pixels stand the traits; its model sets those that are given.

    Some models also spoil the other trait.
    """

    case: EvaluationCase
    data: Dataset
    spoils: bool

    @property
    def train(self) -> Dataset:
        return self.data

    @property
    def test(self) -> Dataset:
        return self.data

    def predict(self, images: torch.Tensor) -> Prediction:
        features = images[:, 0, 0, :5].numpy()
        return Prediction(features, features)

    def run(self, inputs: Tensors) -> Tensors:
        edited = inputs["image"].clone()
        for name, places in (("shape", slice(0, 3)), ("colour", slice(3, 5))):
            given = inputs[name] < len(CHOICES[name])
            hot = traits.one_hot(inputs[name].clamp(max=len(CHOICES[name]) - 1)[:, None], {name: CHOICES[name]})
            edited[:, 0, 0, places] = torch.where(given[:, None], hot * 2 - 1, edited[:, 0, 0, places])
            if self.spoils and given.any():
                edited[:, 0, 0, 3:5] = torch.tensor([1.0, -1.0])
        return {"edited": edited}


def test_an_edit_is_scored_by_the_new_trait_and_by_the_others() -> None:
    shown = data(200)
    assert shown.traits
    hot = traits.one_hot(shown.traits.values, CHOICES)
    shown.images[:, 0, 0, :5] = (hot * 255).byte()
    case = game().evaluation_case("", shown)
    assert [values.tolist()[0] for name, values in case.inputs.items() if name != "image"] == [3, 2]
    found = {
        spoils: {score.name: score for score in Editing(Context(case, shown, spoils)).scores()}  # type: ignore[arg-type]
        for spoils in (False, True)
    }
    assert found[False]["new_shape"].value == found[False]["new_colour"].value == found[False]["others_kept"].value == 1
    assert found[False]["new_shape"].real == 1
    assert found[True]["new_shape"].value == 1
    assert found[True]["new_colour"].value < 0.7
    assert found[True]["others_kept"].value < 0.7
    assert found[False]["latent_gain"].value > 10, "the rest of the image stands in what it is made from"
    assert found[False]["stroke_correlation_of_others"].value < found[False]["stroke_correlation"].value
