"""The constraints of the papers on losses hold in real trainings."""

import copy
import dataclasses
from itertools import pairwise

import pytest
import torch
from torch import nn

from training import variants
from training.data.dataset import Dataset, DataSpec
from training.loop.trainer import Trainer


def trainer(name: str, digits: Dataset, steps: int, **recipe_values: float) -> Trainer:
    variant = variants.find(name)
    recipe = dataclasses.replace(variant.recipe, steps=steps, batch_size=16, **recipe_values)  # type: ignore[arg-type]
    torch.manual_seed(0)
    return Trainer(variant(digits.spec, recipe), digits, seed=0, precision="fp32", device="cpu")


def test_the_weights_of_wgans_critic_are_clipped_after_every_step(digits: Dataset) -> None:
    training = trainer("wgan", digits, steps=5)
    for _ in training.train():
        critic = training.game.get_submodule("discriminator")
        assert max(weights.abs().max().item() for weights in critic.parameters()) <= 0.01


def test_wgans_generator_waits_for_a_good_critic() -> None:
    variant = variants.find("wgan")
    generator = variant(DataSpec.of_images(1, 8, ("0",)), None).stages()[0].players["generator"]
    turns = [step for step in range(variant.recipe.steps) if generator.plays(step)]
    waits = [turn - before for before, turn in pairwise([-1, *turns])]
    assert len(turns) == 15_600
    assert turns[-1] == variant.recipe.steps - 1
    # As in the authors' code: `Diters = 100 if gen_iterations < 25 or gen_iterations % 500 == 0 else 5`.
    assert waits == [100 if turn < 25 or turn % 500 == 0 else 5 for turn in range(15_600)]


def test_infogan_without_agreement_never_processes_moved_images(digits: Dataset) -> None:
    passes = {}
    for weight in (0.0, 5.0):
        training = trainer("infogan", digits, steps=1, agreement_weight=weight)
        next(training.train())
        normalised = (part for part in training.game.get_submodule("discriminator").modules())
        passes[weight] = next(int(part.num_batches_tracked) for part in normalised if isinstance(part, nn.BatchNorm2d))  # type: ignore[arg-type]
    assert passes == {0.0: 3, 5.0: 4}, "real and generated images for D, and generated ones for G"


def test_a_penalised_discriminator_processes_each_image_independently(digits: Dataset) -> None:
    for name in ("wgan_gp", "dragan"):
        discriminator = trainer(name, digits, steps=1).game.get_submodule("discriminator")
        assert not any(isinstance(module, nn.BatchNorm2d) for module in discriminator.modules())
        images = torch.randn(4, 1, 8, 8)
        torch.testing.assert_close(discriminator(images)[:1], discriminator(images[:1]))


@pytest.mark.parametrize(
    ("name", "settings", "slope"),
    [("wgan_gp", {}, 1.0), ("dragan", {}, 1.0), ("dragan", {"slope": 0.1, "penalty_weight": 100.0}, 0.1)],
)
def test_the_penalty_pulls_the_gradient_norm_towards_its_slope(
    name: str, settings: dict[str, float], slope: float, digits: Dataset
) -> None:
    training = trainer(name, digits, steps=150, learning_rate=1e-3, final_learning_rate=1.0, **settings)
    norms = [training.game.diagnostics["gradient_norm"].item() / slope for _ in training.train()]
    assert not 0.7 < norms[0] < 1.3
    assert 0.7 < norms[-1] < 1.3


def test_ebgan_assigns_an_energy_to_each_image_and_learns_lower_ones_for_real_images(digits: Dataset) -> None:
    training = trainer("ebgan", digits, steps=200)
    for _ in training.train():
        pass
    discriminator = training.game.get_submodule("discriminator").eval()
    energies, _ = discriminator(digits.images[:8].float() / 127.5 - 1)
    noise, _ = discriminator(torch.rand(8, 1, 8, 8) * 2 - 1)
    assert energies.shape == (8,)
    assert energies.mean() < noise.mean()


def test_ebgans_running_statistics_come_from_real_images_only(digits: Dataset) -> None:
    training = trainer("ebgan", digits, steps=1)
    discriminator = training.game.get_submodule("discriminator")
    alone = copy.deepcopy(discriminator)
    alone(next(digits.batches(16, 0, torch.device("cpu")))["image"])
    next(training.train())
    for name, statistics in alone.named_buffers():
        if "running" in name:
            torch.testing.assert_close(discriminator.get_buffer(name), statistics)


def test_pulling_away_makes_ebgans_images_less_alike(digits: Dataset) -> None:
    likeness = []
    for weight in (100.0, 0.0):
        training = trainer("ebgan", digits, steps=100, pulling_away_weight=weight)
        for _ in training.train():
            pass
        likeness.append(training.diagnostics["likeness"].item())
    assert likeness[0] < likeness[1] - 0.01
