"""What the papers of the loss family constrain, seen in a real training."""

import dataclasses

import torch
from torch import nn

from training import variants
from training.dataset import Dataset
from training.gan import ImageSpec
from training.train import Trainer


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
    generator = variant(ImageSpec(1, 8, ("0",)), None).stages()[0].players["generator"]
    turns = [step for step in range(2500 + 2 * 2595) if generator.plays(step)]
    assert turns[:25] == list(range(99, 2500, 100)), "100 steps of the critic before each of the first 25 turns"
    assert turns[25] == 2599, "100 again"
    assert turns[26] == 2604, "then 5"
    assert len(turns) == 25 + 500 + 500


def test_a_penalised_discriminator_judges_each_image_by_itself(digits: Dataset) -> None:
    for name in ("wgan_gp", "dragan"):
        discriminator = trainer(name, digits, steps=1).game.get_submodule("discriminator")
        assert not any(isinstance(module, nn.BatchNorm2d) for module in discriminator.modules())
        images = torch.randn(4, 1, 8, 8)
        torch.testing.assert_close(discriminator(images)[:1], discriminator(images[:1]))


def test_the_penalty_pulls_the_gradient_norm_towards_one(digits: Dataset) -> None:
    for name in ("wgan_gp", "dragan"):
        training = trainer(name, digits, steps=150, learning_rate=1e-3, final_learning_rate=1.0)
        norms = [training.game.observed["gradient_norm"].item() for _ in training.train()]
        assert not 0.7 < norms[0] < 1.3
        assert 0.7 < norms[-1] < 1.3


def test_ebgans_energy_is_of_each_image_and_real_ones_come_to_have_less(digits: Dataset) -> None:
    training = trainer("ebgan", digits, steps=200)
    for _ in training.train():
        pass
    discriminator = training.game.get_submodule("discriminator").eval()
    energies, _ = discriminator(digits.images[:8].float() / 127.5 - 1)
    noise, _ = discriminator(torch.rand(8, 1, 8, 8) * 2 - 1)
    assert energies.shape == (8,)
    assert energies.mean() < noise.mean()
